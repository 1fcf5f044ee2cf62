import type { Address } from 'viem'
import type { TransactionColumns } from '../../notification/types.ts'
import type { Swap } from '../decode/swaps.ts'
import { clampRisk, impactOf } from '../impactOf.ts'
import type { BlockActivity } from '../readActivity.ts'
import { refOf, senderOf } from '../rows.ts'
import type { Finding } from '../types.ts'
import { swapEvidence } from './sandwich.ts'

/** Legs that a finding names. */
const MAX_LEGS = 8
/** Part of a token that may be lost on the way: fees on transfer, rounding. */
const LOST = 100n

type Balance = { readonly token: Address; paid: bigint; got: bigint }

/**
 * Arbitrage: the swaps of one transaction, taken together, cost nothing of any token and leave more of one that was paid
 * in. It needs no order of legs, so routes that split, and flash swaps that are told from the inside out, count too.
 */
export function findArbitrages(columns: TransactionColumns, activity: BlockActivity): Finding[] {
  return activity.swaps.flatMap(({ index, swaps }) => {
    const gain = gainOf(swaps)
    return gain ? [toFinding(columns, index, swaps, gain)] : []
  })
}

/** The token that came back with more, or undefined. */
function gainOf(swaps: readonly Swap[]): Balance | undefined {
  if (swaps.length < 2 || new Set(swaps.map(({ pool }) => pool)).size < 2) return undefined
  const balances = new Map<Address, Balance>()
  const of = (token: Address) => {
    const known = balances.get(token) ?? { token, paid: 0n, got: 0n }
    if (known.paid === 0n && known.got === 0n) balances.set(token, known)
    return known
  }
  for (const { tokenIn, tokenOut, amountIn, amountOut } of swaps) {
    if (tokenIn === undefined || tokenOut === undefined) return undefined
    of(tokenIn).paid += amountIn
    of(tokenOut).got += amountOut
  }
  let best: Balance | undefined
  for (const balance of balances.values()) {
    const { paid, got } = balance
    if (got < paid - paid / LOST) return undefined
    // Where several gained, the one that gained most for what was put in.
    if (paid > 0n && got > paid && (!best || (got - paid) * best.paid > (best.got - best.paid) * paid))
      best = balance
  }
  return best
}

function toFinding(
  columns: TransactionColumns,
  index: number,
  swaps: readonly Swap[],
  { token, paid, got }: Balance,
): Finding {
  const bps = ((got - paid) * 10_000n) / paid
  // A few hundredths of a percent is the usual trade; as much again as was put in is a broken pool, or an attack.
  const risk = clampRisk(10 + Number(bps > 10_000n ? 10_000n : bps) / 125)
  const account = swaps.find(({ tokenIn }) => tokenIn === token)?.payer ?? senderOf(columns, index)
  return {
    kind: 'arbitrage',
    rule: { name: 'swaps that return their token with a gain', version: 1 },
    impact: impactOf(risk),
    risk,
    summary:
      `Transaction ${index} put ${paid} units of token ${token} through ${swaps.length} swaps and got back ${got}, ` +
      `${got - paid} more, before gas.`,
    recommendation: {
      action: 'optimizeParameters',
      text: 'Prices of the pools named were apart: quote from them with care until they agree.',
    },
    transactions: [refOf(columns, index)],
    evidence: {
      account,
      token,
      amountIn: `${paid}`,
      amountOut: `${got}`,
      gain: `${got - paid}`,
      legs: swaps
        .slice(0, MAX_LEGS)
        .map((swap) => ({ ...swapEvidence(index, swap), pool: swap.pool, protocol: swap.protocol })),
    },
  }
}
