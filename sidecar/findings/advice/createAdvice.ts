import type { BlockFacts, FeeFacts } from '../blockFacts.ts'
import { clampRisk, impactOf } from '../impactOf.ts'
import { percentilesOf } from '../readFees.ts'
import type { Amount, Impact, Recommendation } from '../types.ts'
import { baseFeeAfter } from './baseFee.ts'

/** Blocks ahead that the base fee is told for. */
const HORIZONS = [1, 3, 6, 12] as const
/** Blocks that the congestion of the moment is the mean of. */
const RECENT_BLOCKS = 8
/** How long the fee that is advised holds, whatever comes: full blocks in a row. */
const HOLDS_BLOCKS = 6

export type BaseFeeForecast = {
  /** Blocks ahead. */
  readonly blocks: number
  /** wei: if those before it are empty, as full as the memory's were, and full. Of the next block all are the same: exact. */
  readonly low: Amount
  readonly likely: Amount
  readonly high: Amount
}

/** 10, 25, 50, 75 and 90 %: the median, over the memory's blocks, of what each block's percentile was. */
export type FeePercentiles = {
  readonly p10: Amount
  readonly p25: Amount
  readonly p50: Amount
  readonly p75: Amount
  readonly p90: Amount
}

/** Fee and congestion advice. Amounts are wei a unit of gas. Plain JSON. */
export type Advice = {
  /** The newest block it is from, and how many it looks back on. */
  readonly block: { readonly number: number; readonly hash: string }
  readonly blocks: number
  readonly congestion: {
    readonly impact: Impact
    /** 0 to 100: none at half-full blocks, which is what the base fee keeps them at, all when full. */
    readonly risk: number
    /** Gas used of the limit, 0 to 1: of the last block, the mean of the last eight, and of the memory. */
    readonly fullness: { readonly last: number; readonly recent: number; readonly window: number }
    /** Of the memory's transactions, 0 to 1. */
    readonly failed: number
    readonly transactionsPerBlock: number
    /** Null while there is one block. */
    readonly secondsPerBlock: number | null
  }
  /** Null before London. */
  readonly baseFee: { readonly now: Amount; readonly forecast: readonly BaseFeeForecast[] } | null
  /** What transactions that name one gas price paid above the base fee: exact, of those. Null where there were none. */
  readonly priorityFee: (FeePercentiles & { readonly transactions: number }) | null
  /** What the others would have paid above the base fee at most; what they paid is not in the stream. */
  readonly priorityCeiling: (FeePercentiles & { readonly transactions: number }) | null
  /** Null where nothing is known to build it from. */
  readonly suggestion: { readonly maxPriorityFeePerGas: Amount; readonly maxFeePerGas: Amount } | null
  readonly summary: string
  readonly recommendations: readonly Recommendation[]
}

/** Advice from the memory of the last blocks, oldest first; undefined where there are none. A pure function of them. */
export function createAdvice(memory: readonly BlockFacts[]): Advice | undefined {
  const newest = memory.at(-1)
  if (newest === undefined) return undefined
  const { fees } = newest
  const recent = fullnessOf(memory.slice(-RECENT_BLOCKS))
  const window = fullnessOf(memory)
  const risk = clampRisk((Number(recent) / 10_000 - 0.5) * 200)
  const transactions = memory.reduce((sum, each) => sum + each.fees.transactions, 0)
  const failed = memory.reduce((sum, each) => sum + each.fees.failed, 0)
  const seconds = Number(fees.timestamp - memory[0]!.fees.timestamp)
  const baseFee = forecastOf(fees, window)
  const priorityFee = medianOf(memory.map((each) => each.fees.tips))
  const priorityCeiling = medianOf(memory.map((each) => each.fees.ceilings))
  const suggestion = suggest(fees, priorityFee)
  const congestion: Advice['congestion'] = {
    impact: impactOf(risk),
    risk,
    fullness: { last: partOf(fullnessOf([newest])), recent: partOf(recent), window: partOf(window) },
    failed: transactions === 0 ? 0 : Math.round((failed / transactions) * 10_000) / 10_000,
    transactionsPerBlock: Math.round((transactions / memory.length) * 100) / 100,
    secondsPerBlock: memory.length < 2 ? null : Math.round((seconds / (memory.length - 1)) * 100) / 100,
  }
  return {
    block: { number: Number(newest.number), hash: newest.hash },
    blocks: memory.length,
    congestion,
    baseFee,
    priorityFee,
    priorityCeiling,
    suggestion,
    summary: summaryOf(memory.length, congestion, baseFee),
    recommendations: recommend(congestion, baseFee, suggestion),
  }
}

/** Gas used of the limit over all of them, in hundredths of a percent. */
function fullnessOf(memory: readonly BlockFacts[]): bigint {
  const used = memory.reduce((sum, { fees }) => sum + fees.gasUsed, 0n)
  const limit = memory.reduce((sum, { fees }) => sum + fees.gasLimit, 0n)
  return limit === 0n ? 0n : (used * 10_000n) / limit
}

const partOf = (bps: bigint) => Number(bps) / 10_000

function forecastOf({ gasLimit, gasUsed, baseFeePerGas }: FeeFacts, window: bigint): Advice['baseFee'] {
  if (baseFeePerGas === undefined) return null
  const parent = { gasLimit, gasUsed, baseFeePerGas }
  const at = (blocks: number, filledBps: bigint) => `${baseFeeAfter(parent, blocks, filledBps)}`
  const forecast = HORIZONS.map((blocks) => ({
    blocks,
    low: at(blocks, 0n),
    likely: at(blocks, window),
    high: at(blocks, 10_000n),
  }))
  return { now: `${baseFeePerGas}`, forecast }
}

function medianOf(summaries: readonly FeeFacts['tips'][]): Advice['priorityFee'] {
  const known = summaries.filter((summary) => summary !== undefined)
  if (known.length === 0) return null
  const median = (at: 0 | 1 | 2 | 3 | 4) => {
    const values = BigUint64Array.from(known, ({ percentiles }) => percentiles[at]).sort()
    return `${percentilesOf(values)[2]}`
  }
  const transactions = known.reduce((sum, { count }) => sum + count, 0)
  return { transactions, p10: median(0), p25: median(1), p50: median(2), p75: median(3), p90: median(4) }
}

/** The median tip, and a limit that the base fee stays below for six full blocks in a row. */
function suggest(fees: FeeFacts, priorityFee: Advice['priorityFee']): Advice['suggestion'] {
  if (priorityFee === null) return null
  const tip = BigInt(priorityFee.p50)
  const { baseFeePerGas, gasLimit, gasUsed } = fees
  const base =
    baseFeePerGas === undefined
      ? 0n
      : baseFeeAfter({ gasLimit, gasUsed, baseFeePerGas }, HOLDS_BLOCKS + 1, 10_000n)
  return { maxPriorityFeePerGas: `${tip}`, maxFeePerGas: `${base + tip}` }
}

function summaryOf(
  blocks: number,
  { impact, fullness }: Advice['congestion'],
  baseFee: Advice['baseFee'],
): string {
  const room = `Blocks are ${percent(fullness.recent)} full (${percent(fullness.window)} over the last ${blocks}): congestion is ${impact}`
  if (baseFee === null) return `${room}. There is no base fee.`
  const [next] = baseFee.forecast
  const last = baseFee.forecast.at(-1)!
  return (
    `${room}. The base fee is ${gwei(baseFee.now)} gwei, ${gwei(next!.likely)} in the next block, and in ${last.blocks} blocks ` +
    `about ${gwei(last.likely)}, between ${gwei(last.low)} and ${gwei(last.high)}.`
  )
}

function recommend(
  { risk, failed }: Advice['congestion'],
  baseFee: Advice['baseFee'],
  suggestion: Advice['suggestion'],
): Recommendation[] {
  const found: Recommendation[] = []
  if (suggestion) {
    const { maxFeePerGas, maxPriorityFeePerGas } = suggestion
    found.push({
      action: 'optimizeParameters',
      text:
        `Offer at most ${gwei(maxFeePerGas)} gwei with a priority fee of ${gwei(maxPriorityFeePerGas)}: enough for the ` +
        `median of the last blocks, through ${HOLDS_BLOCKS} full blocks in a row.`,
    })
  }
  if (baseFee && risk >= 50) {
    found.push({
      action: 'optimizeParameters',
      text: 'Put off what can wait, and bundle what cannot: the base fee rises while blocks are more than half full.',
    })
  }
  if (risk >= 75) {
    found.push({ action: 'scaleResources', text: 'Expect full blocks: queues of transactions will grow.' })
  }
  if (failed >= 0.1) {
    found.push({
      action: 'alertStakeholders',
      text: `${percent(failed)} of the transactions fail: see the findings.`,
    })
  }
  return found
}

const percent = (part: number) => `${Math.round(part * 100)} %`

/** wei as gwei with three decimals, cut, not rounded: enough to read, and exact to write. */
function gwei(wei: Amount): string {
  const micro = BigInt(wei) / 1_000_000n
  return `${micro / 1000n}.${`${micro % 1000n}`.padStart(3, '0')}`
}
