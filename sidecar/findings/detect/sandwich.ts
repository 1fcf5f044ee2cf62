import type { Address } from 'viem'
import type { TransactionColumns } from '../../notification/types.ts'
import type { Swap } from '../decode/swaps.ts'
import { clampRisk, impactOf } from '../impactOf.ts'
import type { BlockActivity } from '../readActivity.ts'
import { refsOf, senderOf, toOf } from '../rows.ts'
import type { Finding, SandwichPart, SwapEvidence } from '../types.ts'

/** Swaps of one pool in one block that are looked at, so that a block full of them costs no more than their number. */
const MAX_SWAPS_PER_POOL = 256
/** Pools and victims that a finding names. */
const MAX_PARTS = 4
const MAX_VICTIMS = 8
/** Accounts called by more people than this within a block are routers, not somebody's bot. */
const MAX_SIGNERS_OF_A_PARTY = 2
/** How far what the back sells may be from what the front bought, in percent: less where only an account links them. */
const TOLERANCE_PERCENT = { signer: 50n, account: 10n } as const

type Step = {
  readonly index: number
  readonly signer: Address
  readonly target: Address
  readonly swap: Swap
}
type Link = { readonly link: 'signer' | 'account'; readonly party: Address }
type Sandwich = Link & { readonly front: Step; readonly back: Step; readonly victims: readonly Step[] }

/**
 * Sandwich-like: in one pool somebody buys, others buy the same after, then the first sells what was bought, in three or
 * more transactions of one block. From logs alone the payer of a swap may be a router, so both ends count as one party's
 * only when one account signed both, or when the account that received the first paid for the last, and few use it.
 */
export function findSandwiches(columns: TransactionColumns, activity: BlockActivity): Finding[] {
  const pools = new Map<string, Step[]>()
  for (const { index, swaps } of activity.swaps) {
    const signer = senderOf(columns, index)
    const target = toOf(columns, index)
    for (const swap of swaps) {
      const steps = pools.get(swap.pool) ?? []
      if (steps.length === 0) pools.set(swap.pool, steps)
      if (steps.length < MAX_SWAPS_PER_POOL) steps.push({ index, signer, target, swap })
    }
  }
  const isShared = sharedAccounts(columns, activity, pools)
  // One sandwich over several pools is one finding.
  const byEnds = new Map<string, Sandwich[]>()
  for (const steps of pools.values()) {
    if (steps.length < 3) continue
    for (let i = 0; i < steps.length - 2; i++) {
      const found = sandwichFrom(steps, i, isShared)
      if (!found) continue
      const ends = `${found.front.index}:${found.back.index}:${found.party}`
      const parts = byEnds.get(ends) ?? []
      if (parts.length === 0) byEnds.set(ends, parts)
      parts.push(found)
    }
  }
  return [...byEnds.values()].map((parts) => toFinding(columns, parts))
}

/** The sandwich that the swap at `from` is the front of, or undefined. */
function sandwichFrom(
  steps: readonly Step[],
  from: number,
  isShared: (account: Address) => boolean,
): Sandwich | undefined {
  const front = steps[from]!
  const victims: Step[] = []
  for (let i = from + 1; i < steps.length; i++) {
    const step = steps[i]!
    if (step.index === front.index) continue
    const linked = linkOf(front, step, isShared)
    if (isSameWay(front.swap, step.swap)) {
      if (!linked) victims.push(step)
    } else if (linked && isOtherWay(front.swap, step.swap)) {
      // What is sold is something else than what was bought: the round trip is not closed yet.
      if (!sellsWhatWasBought(front.swap, step.swap, linked.link)) continue
      const between = victims.filter(({ index }) => index < step.index)
      if (between.length === 0) return undefined
      return { ...linked, front, back: step, victims: between }
    }
  }
  return undefined
}

const isSameWay = (a: Swap, b: Swap) => a.sideIn === b.sideIn && a.sideOut === b.sideOut
const isOtherWay = (a: Swap, b: Swap) => a.sideIn === b.sideOut && a.sideOut === b.sideIn

function linkOf(front: Step, step: Step, isShared: (account: Address) => boolean): Link | undefined {
  if (front.signer === step.signer) return { link: 'signer', party: front.signer }
  const { recipient } = front.swap
  if (recipient === undefined || recipient !== step.swap.payer || isShared(recipient)) return undefined
  return { link: 'account', party: recipient }
}

function sellsWhatWasBought(front: Swap, back: Swap, link: Link['link']): boolean {
  const percent = TOLERANCE_PERCENT[link]
  const sold = back.amountIn * 100n
  return sold >= front.amountOut * (100n - percent) && sold <= front.amountOut * (100n + percent)
}

/** Pools, and accounts that more than two people called or swapped through in this block. */
function sharedAccounts(
  columns: TransactionColumns,
  activity: BlockActivity,
  pools: ReadonlyMap<string, readonly Step[]>,
): (account: Address) => boolean {
  const signers = new Map<string, Set<string>>()
  const used = (account: Address | undefined, signer: Address) => {
    if (account === undefined) return
    const known = signers.get(account) ?? new Set()
    if (known.size === 0) signers.set(account, known)
    known.add(signer)
  }
  for (const { index, swaps } of activity.swaps) {
    const signer = senderOf(columns, index)
    used(toOf(columns, index), signer)
    for (const { payer, recipient } of swaps) {
      used(payer, signer)
      used(recipient, signer)
    }
  }
  return (account) => pools.has(account) || (signers.get(account)?.size ?? 0) > MAX_SIGNERS_OF_A_PARTY
}

function toFinding(columns: TransactionColumns, sandwiches: readonly Sandwich[]): Finding {
  const [first] = sandwiches
  const { front, back, link, party } = first!
  const parts = sandwiches.slice(0, MAX_PARTS).map(toPart)
  const victims = [...new Set(sandwiches.flatMap((each) => each.victims.map(({ index }) => index)))]
  const loss = parts.reduce<number | null>((most, { victimLossBps }) => {
    return victimLossBps === null ? most : Math.max(most ?? 0, victimLossBps)
  }, null)
  const risk = riskOf(parts, link, loss, victims.length)
  const indexes = [front.index, ...victims, back.index].sort((a, b) => a - b)
  return {
    kind: 'sandwich-like',
    rule: { name: 'same-pool round trip around others', version: 1 },
    impact: impactOf(risk),
    risk,
    summary:
      `Transactions ${front.index} and ${back.index}, linked by one ${link} ${party}, swapped in and back out of ` +
      `${sandwiches.length === 1 ? `pool ${parts[0]!.pool}` : `${sandwiches.length} pools`} around ` +
      `${victims.length === 1 ? `transaction ${victims[0]}` : `${victims.length} transactions`} of others` +
      `${loss === null ? '' : `, which got up to ${(loss / 100).toFixed(2)} % less`}.`,
    recommendation: {
      action: 'alertStakeholders',
      text: 'Tell whoever sent the transactions in between: a tighter limit on the price, or a private way to the builder, would have helped.',
    },
    transactions: refsOf(columns, indexes),
    evidence: {
      link,
      party,
      front: front.index,
      back: back.index,
      victims: victims.slice(0, MAX_VICTIMS),
      parts,
    },
  }
}

function riskOf(
  parts: readonly SandwichPart[],
  link: Link['link'],
  loss: number | null,
  victims: number,
): number {
  const gained = parts.some(({ gain }) => !gain.startsWith('-'))
  const lost = loss === null ? 10 : Math.min(30, loss / 10)
  return clampRisk(50 + lost + Math.min(10, victims) - (link === 'account' ? 10 : 0) - (gained ? 0 : 20))
}

function toPart({ front, back, victims }: Sandwich): SandwichPart {
  return {
    pool: front.swap.pool,
    protocol: front.swap.protocol,
    front: swapEvidence(front.index, front.swap),
    back: swapEvidence(back.index, back.swap),
    victims: victims.slice(0, MAX_VICTIMS).map(({ index, swap }) => swapEvidence(index, swap)),
    gain: `${back.swap.amountOut - front.swap.amountIn}`,
    victimLossBps: lossOf(front.swap, victims[0]!.swap),
  }
}

/** What the first victim got less than from the pool as it stood before the front, by x*y = k with a fee of 0.3 %. */
function lossOf(front: Swap, victim: Swap): number | null {
  if (front.protocol !== 'uniswap-v2' || front.reserveIn === undefined || front.reserveOut === undefined)
    return null
  const reserveIn = front.reserveIn - front.amountIn
  const reserveOut = front.reserveOut + front.amountOut
  if (reserveIn <= 0n) return null
  const paid = victim.amountIn * 997n
  const fair = (paid * reserveOut) / (reserveIn * 1000n + paid)
  if (fair <= 0n) return null
  const loss = ((fair - victim.amountOut) * 10_000n) / fair
  return Number(loss < 0n ? 0n : loss)
}

/** A swap as a finding shows it. */
export function swapEvidence(index: number, swap: Swap): SwapEvidence {
  return {
    index,
    tokenIn: swap.tokenIn ?? null,
    tokenOut: swap.tokenOut ?? null,
    amountIn: `${swap.amountIn}`,
    amountOut: `${swap.amountOut}`,
  }
}
