import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { TransactionFields } from '../../../harness/feed/buildBlock.ts'
import { account, swapV2, swapV3, type Trade, transfer } from './events.ts'
import { noticed } from './notice.ts'

const weth = account('weth')
const token = account('token')
const pool = account('pool')
const bot = account('bot contract')
const owner = account('bot owner')

/** A trade in the pool: `buy` pays WETH for the token, `sell` the other way. */
type Step = Partial<Trade> & { readonly way: 'buy' | 'sell'; readonly from: string; readonly via?: string }

function trade({ way, from, via, ...rest }: Step, logsOf = swapV2): TransactionFields {
  const who = account(from)
  const sides = way === 'buy' ? { tokenIn: weth, tokenOut: token } : { tokenIn: token, tokenOut: weth }
  const amounts =
    way === 'buy' ? { amountIn: 1_000n, amountOut: 500n } : { amountIn: 500n, amountOut: 1_100n }
  const defaults = { pool, payer: who, recipient: who, ...sides, ...amounts }
  return { from: who, to: account(via ?? 'router'), logs: logsOf({ ...defaults, ...rest }) }
}

const front: Step = { way: 'buy', from: 'bot owner', via: 'bot contract', payer: bot, recipient: bot }
const back: Step = { ...front, way: 'sell' }
const victim: Step = { way: 'buy', from: 'victim', amountIn: 10_000n, amountOut: 4_000n }
const found = (...transactions: TransactionFields[]) => noticed([transactions], 'sandwich-like')

describe('found', () => {
  test('a buy and a sell of one signer around a buy of somebody else, with all its evidence', () => {
    const [finding, ...others] = found(trade(front), trade(victim), trade(back))
    expect(others).toEqual([])
    expect(finding).toMatchObject({
      rule: { version: 1 },
      evidence: {
        ...{ link: 'signer', party: owner, front: 0, back: 2, victims: [1] },
        parts: [
          {
            ...{ pool, protocol: 'uniswap-v2', gain: '100' },
            front: { index: 0, tokenIn: weth, tokenOut: token, amountIn: '1000', amountOut: '500' },
            back: { index: 2, tokenIn: token, tokenOut: weth, amountIn: '500', amountOut: '1100' },
            victims: [{ index: 1, tokenIn: weth, tokenOut: token, amountIn: '10000', amountOut: '4000' }],
          },
        ],
      },
      transactions: [{ index: 0 }, { index: 1 }, { index: 2 }],
    })
  })

  test('in a pool of v3, with transactions of others in other pools between', () => {
    const elsewhere = trade({ ...victim, pool: account('elsewhere') })
    const transactions = [front, victim, back].map((step) => trade(step, swapV3))
    expect(found(transactions[0]!, elsewhere, transactions[1]!, elsewhere, transactions[2]!)).toMatchObject([
      {
        evidence: {
          front: 0,
          back: 4,
          victims: [2],
          parts: [{ protocol: 'uniswap-v3', victimLossBps: null }],
        },
      },
    ])
  })

  test('two signers who use one contract of theirs', () => {
    const other: Step = { ...back, from: 'second owner' }
    expect(found(trade(front), trade(victim), trade(other))).toMatchObject([
      { evidence: { link: 'account', party: bot } },
    ])
  })

  test('one that goes over two pools is one finding with two parts', () => {
    const second = account('second pool')
    const both = (step: Step) => ({
      ...trade(step),
      logs: [...trade(step).logs!, ...trade({ ...step, pool: second }).logs!],
    })
    const victims = [trade(victim), trade({ ...victim, from: 'other victim', pool: second })]
    expect(found(both(front), ...victims, both(back))).toMatchObject([
      { evidence: { victims: [1, 2], parts: [{ pool }, { pool: second }] } },
    ])
  })

  test('the loss is what the reserves before the front would have given', () => {
    // 1000 in and 500 out leave 11 000 and 5 000; before were 10 000 and 5 500.
    const given = found(
      trade({ ...front, reserves: [11_000n, 5_000n] }),
      trade({ ...victim, amountIn: 1_000n, amountOut: 400n }),
      trade(back),
    )
    // 1000 at 0.3 % fee: 997 * 5500 / (10 000 + 997) = 498.6
    expect(given[0]!.evidence.parts[0]!.victimLossBps).toBe(Number(((498n - 400n) * 10_000n) / 498n))
  })

  test('wherever it is in a block of other trades', () => {
    const noise = fc.record({
      from: fc.constantFrom('c', 'd', 'e', 'f'),
      pool: fc.constantFrom(...['p1', 'p2', 'p3'].map(account)),
      way: fc.constantFrom('buy' as const, 'sell' as const),
      amountIn: fc.bigInt({ min: 1n, max: 10n ** 30n }),
      amountOut: fc.bigInt({ min: 1n, max: 10n ** 30n }),
    })
    const noises = fc.array(noise, { maxLength: 8 })
    fc.assert(
      fc.property(fc.tuple(noises, noises, noises, noises), fc.boolean(), (between, isV3) => {
        const logsOf = isV3 ? swapV3 : swapV2
        const planted = [front, victim, back]
        const steps = between.flatMap((around, i) => [...around, ...planted.slice(i, i + 1)])
        const at = (step: Step) => steps.indexOf(step)
        const findings = found(...steps.map((step) => trade(step, logsOf)))
        const mine = findings.filter(({ evidence }) => evidence.parts.some((part) => part.pool === pool))
        expect(mine).toMatchObject([
          { evidence: { front: at(front), back: at(back), victims: [at(victim)], party: owner } },
        ])
      }),
    )
  })
})

describe('not found', () => {
  const someoneElse: Step = { way: 'sell', from: 'someone else' }
  test.each<[string, TransactionFields[]]>([
    ['nobody between', [trade(front), trade(back)]],
    ['nobody buys between: one sells', [trade(front), trade({ ...victim, way: 'sell' }), trade(back)]],
    ['the victim comes first', [trade(victim), trade(front), trade(back)]],
    ['the victim comes last', [trade(front), trade(back), trade(victim)]],
    ['the one who sells is another', [trade(front), trade(victim), trade(someoneElse)]],
    [
      'the one between is the same signer',
      [trade(front), trade({ ...victim, from: 'bot owner' }), trade(back)],
    ],
    ['the sell is in another pool', [trade(front), trade(victim), trade({ ...back, pool: account('p') })]],
    ['the victim is in another pool', [trade(front), trade({ ...victim, pool: account('p') }), trade(back)]],
    ['much less is sold than was bought', [trade(front), trade(victim), trade({ ...back, amountIn: 249n })]],
    ['much more is sold than was bought', [trade(front), trade(victim), trade({ ...back, amountIn: 751n })]],
    [
      'all of it in one transaction',
      [{ ...trade(front), logs: [front, victim, back].flatMap((step) => trade(step).logs!) }],
    ],
    [
      'the first round trip was closed before the victim came',
      [trade(front), trade(back), trade(victim), trade(back)],
    ],
  ])('%s', (_, transactions) => {
    expect(found(...transactions)).toEqual([])
  })

  test('strangers whose trades a router pays for and receives, though the account is the same', () => {
    const router = account('router')
    const through = (from: string, way: Step['way']): Step => ({
      from,
      way,
      payer: router,
      recipient: router,
    })
    const transactions = [through('a', 'buy'), through('b', 'buy'), through('c', 'sell')].map((step) =>
      trade(step),
    )
    expect(found(...transactions)).toEqual([])
  })

  test('an account link where what is sold is not what was bought', () => {
    const other: Step = { ...back, from: 'second owner', amountIn: 440n }
    expect(found(trade(front), trade(victim), trade(other))).toEqual([])
    expect(
      found(trade(front), trade(victim), trade({ ...other, amountIn: 460n })),
      'near enough',
    ).toHaveLength(1)
  })

  test('a pool is no party: a route through it links strangers', () => {
    const next = account('next pool')
    const first = trade({ way: 'buy', from: 'a', recipient: next })
    const onward = trade({ way: 'buy', from: 'a', pool: next })
    const last = trade({ way: 'sell', from: 'c', payer: next })
    expect(found({ ...first, logs: [...first.logs!, ...onward.logs!] }, trade(victim), last)).toEqual([])
  })
})

test('a block full of trades in one pool is looked at up to a limit, and stays cheap', () => {
  const swap = trade(front).logs!
  const many = Array.from({ length: 400 }, (_, i) => ({
    ...trade({ way: i % 2 ? 'buy' : 'sell', from: `trader ${i}` }),
    logs: [...swap, transfer(token, pool, bot, 1n)],
  }))
  expect(found(...many).length).toBeLessThan(64)
})
