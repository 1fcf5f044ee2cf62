import type { TransactionFields } from '../../../harness/feed/buildBlock.ts'
import type { Random } from '../../../harness/random.ts'
import { account, lookalikeOf, swapV2, transfer } from './events.ts'

const people = ['ann', 'bob', 'cid', 'dan'].map(account)
const tokens = ['gold', 'silver', 'tin'].map(account)
const pools = ['pool 1', 'pool 2'].map(account)

/** Transactions of few people, tokens and pools, so that all kinds of findings come of them, across blocks too. */
export function randomTransactions(random: Random): TransactionFields[] {
  const transactions: TransactionFields[] = []
  for (let i = random.below(7); i > 0; i--) transactions.push(...randomAct(random))
  return transactions
}

function randomAct(random: Random): TransactionFields[] {
  const [from, to] = [random.pick(people), random.pick(people)]
  const [tokenIn, tokenOut] = [random.pick(tokens), random.pick(tokens)]
  const repeat = (count: number, one: TransactionFields) => Array.from({ length: count }, () => one)
  const swap = (signer: `0x${string}`, isBack: boolean): TransactionFields => {
    const sides = isBack ? { tokenIn: tokenOut, tokenOut: tokenIn } : { tokenIn, tokenOut }
    const parties = { payer: signer, recipient: signer }
    const amounts = { amountIn: 1_000n, amountOut: 1_000n + BigInt(random.below(50)) }
    return { from: signer, logs: swapV2({ pool: pools[0]!, ...sides, ...parties, ...amounts }) }
  }
  switch (random.below(6)) {
    case 0:
      return [{ from, to, value: BigInt(1 + random.below(1_000)) * 10n ** 15n }]
    case 1:
      return [{ from, to: lookalikeOf(to, `${random.below(2)}`), value: 0n }]
    case 2:
      return [
        {
          from: account('mallory'),
          logs: [transfer(random.pick(tokens), from, lookalikeOf(to), BigInt(random.below(2)))],
        },
      ]
    case 3:
      return repeat(1 + random.below(12), { from, to: account('target'), input: '0x1249c58b' })
    case 4:
      return repeat(1 + random.below(12), { to: account('target'), input: '0xa0712d68', status: 'failed' })
    default: {
      const whole = swap(from, false)
      const second = swapV2({
        ...{ pool: pools[1]!, tokenIn: tokenOut, tokenOut: tokenIn, payer: from, recipient: from },
        ...{ amountIn: 1_000n, amountOut: 1_010n },
      })
      return random.below(2)
        ? [whole, swap(to, false), swap(from, true)]
        : [{ ...whole, logs: [...whole.logs!, ...second] }]
    }
  }
}
