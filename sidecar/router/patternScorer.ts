import { quarterOctaves } from './blockFeatures.ts'
import type { ResolvedOptions } from './checkOptions.ts'
import type { Decay } from './decay.ts'
import { Domain, isSvmDomain, KEY_WORDS } from './patternKey.ts'
import {
  CALLDATA,
  FAIL,
  GAS,
  LAST,
  OK,
  type PatternTable,
  SEEN,
  STATE,
  UNITS,
  VALUE,
} from './patternTable.ts'
import { quantised, type Scorer, type ScorerInput, type Scores } from './scorer.ts'

/** Part names, in the order of their columns. */
export const patternParts = [
  'success',
  'margin',
  'context',
  'evidence',
  'novelty',
  'safety',
  'cost',
  'congestion',
] as const

/** The score's weights; they add up to 1. Cost and congestion count for what they leave over. */
const WEIGHT = { success: 0.45, context: 0.15, evidence: 0.1, safety: 0.2, cost: 0.05, congestion: 0.05 }
/** Success rates before anything is known, of EVM transactions and of SVM items; weighed like any other prior. */
const PRIOR = { evm: 0.95, svm: 0.8 }
/** Standard deviations between the estimate and its bounds: one-sided 95 %. */
export const PATTERN_DEVIATIONS = 1.645
/** What the pattern's own means may be missed by: 2^4 in gas and in calldata, 2^16 in value. */
const TOLERATED = { quarters: 16, valueBits: 16 }
/** What more is as unlike it as can be: another 2^8, and 2^32. A value sent where none ever is, say. */
const UNLIKE = { quarters: 32, valueBits: 32 }
/** Gas in quarter octaves that costs nothing (21 000, a plain transfer) and everything (2^25, a block of 32 million). */
const CHEAP = quarterOctaves(21_000)
const DEAR = quarterOctaves(33_554_432)
/** Compute units a Solana transaction may use at most. */
export const MAX_UNITS = 1_400_000

const NONE = new Uint32Array(5)

/** Of a pattern: success, context, outcomes, lower, upper, how well its sizes are known, evidence, compute cost. */
const STATS = 8
/** Its mean gas limit and calldata in quarter octaves, and value in bits. */
const MEANS = 3
/** Parts that depend on the pattern alone: the first five. */
const OWN = 5

function createColumns(patterns: number) {
  return {
    stats: new Float64Array(patterns * STATS),
    means: new Int16Array(patterns * MEANS),
    bytes: new Uint8Array(patterns * OWN),
  }
}

/**
 * The default scorer: decayed success rates per pattern, each level shrunk to the one above it by a Beta prior: a fixed
 * rate, the rate of all transactions, that of the pattern's neighbours, its own. No model is trained beyond counting.
 *
 * Parts, for every transaction: `success` (the estimated rate), `margin` (half of its interval), `context` (the
 * neighbours' rate), `evidence` (own outcomes against the prior's weight), `novelty` (1 for never seen), `safety` (1 for
 * gas, calldata and value like the pattern's own), `cost` (gas limit and compute units, logarithmic), `congestion` (gas
 * used by the parents).
 */
export function createPatternScorer(options: ResolvedOptions, decay: Decay): Scorer {
  const weight = options.learn.priorWeight
  let columns = createColumns(0)

  function judgePatterns(input: ScorerInput, rates: Float32Array): void {
    const { patterns, table, neighbours, number } = input
    const { stats, means, bytes } = columns
    const evm = rateOfAll(table, Domain.allEvm, PRIOR.evm, number)
    const svm = rateOfAll(table, Domain.allSvm, PRIOR.svm, number)
    const { state, keys } = table
    for (let local = 0; local < patterns.count; local++) {
      const id = patterns.ids[local]!
      const at = id * STATE
      const seenNow = state[at + SEEN]!
      const factor = seenNow === 0 ? 0 : decay(number - state[at + LAST]!)
      const all = isSvmDomain(keys[id * KEY_WORDS + 6]!) ? svm : evm
      const context = (neighbours.succeeded[id]! + weight * all) / (neighbours.outcomes[id]! + weight)
      const succeeded = state[at + OK]! * factor
      const outcomes = succeeded + state[at + FAIL]! * factor
      const success = (succeeded + weight * context) / (outcomes + weight)
      const margin = PATTERN_DEVIATIONS * Math.sqrt((success * (1 - success)) / (outcomes + weight + 1))
      const evidence = outcomes / (outcomes + weight)
      const seen = seenNow * factor
      const s = local * STATS
      stats[s] = success
      stats[s + 1] = context
      stats[s + 2] = outcomes
      stats[s + 3] = success - margin
      stats[s + 4] = success + margin
      stats[s + 5] = seen / (seen + weight)
      stats[s + 6] = evidence
      const ran = state[at + OK]! + state[at + FAIL]!
      const units = state[at + UNITS]!
      stats[s + 7] = units === 0 ? 0 : Math.min(1, units / ran / MAX_UNITS)
      const m = local * MEANS
      if (seenNow > 0) {
        means[m] = quarterOctaves(wholeMean(state[at + GAS]!, seenNow))
        means[m + 1] = quarterOctaves(wholeMean(state[at + CALLDATA]!, seenNow))
        means[m + 2] = wholeMean(state[at + VALUE]!, seenNow)
      }
      const b = local * OWN
      bytes[b] = quantised(success)
      rates[local] = success
      bytes[b + 1] = quantised(margin)
      bytes[b + 2] = quantised(context)
      bytes[b + 3] = quantised(evidence)
      bytes[b + 4] = quantised(1 / (1 + seen))
    }
  }

  function rateOfAll(table: PatternTable, domain: Domain, prior: number, number: number): number {
    const at = table.intern(NONE, 0, 0, domain) * STATE
    const { state } = table
    const factor = state[at + SEEN] === 0 ? 0 : decay(number - state[at + LAST]!)
    const succeeded = state[at + OK]! * factor
    return (succeeded + weight * prior) / (succeeded + state[at + FAIL]! * factor + weight)
  }

  function reserve(distinct: number): void {
    if (columns.stats.length < distinct * STATS) columns = createColumns(distinct * 2)
  }

  function score(input: ScorerInput, into: Scores): void {
    reserve(input.patterns.count)
    judgePatterns(input, into.rates)
    const { count, gasQuarters, calldataQuarters, valueBits } = input.features
    const { localOf } = input.patterns
    const { stats, means, bytes } = columns
    const { parts, score: scores, lower, upper, evidence } = into
    const congestion = quantised(input.congestion)
    const congestionLeft = WEIGHT.congestion * (1 - input.congestion)
    const safetyColumn = OWN * count
    const costColumn = safetyColumn + count
    parts.fill(congestion, costColumn + count, costColumn + 2 * count)
    for (let row = 0; row < count; row++) {
      const local = localOf[row]!
      const s = local * STATS
      const m = local * MEANS
      const gas = gasQuarters[row]!
      const unlike =
        (excess(gas - means[m]!, TOLERATED.quarters, UNLIKE.quarters) +
          excess(calldataQuarters[row]! - means[m + 1]!, TOLERATED.quarters, UNLIKE.quarters) +
          excess(valueBits[row]! - means[m + 2]!, TOLERATED.valueBits, UNLIKE.valueBits)) /
        3
      const safety = 1 - unlike * stats[s + 5]!
      const gasCost = gas <= CHEAP ? 0 : gas >= DEAR ? 1 : (gas - CHEAP) / (DEAR - CHEAP)
      const cost = Math.max(gasCost, stats[s + 7]!)
      const b = local * OWN
      parts[row] = bytes[b]!
      parts[count + row] = bytes[b + 1]!
      parts[2 * count + row] = bytes[b + 2]!
      parts[3 * count + row] = bytes[b + 3]!
      parts[4 * count + row] = bytes[b + 4]!
      parts[safetyColumn + row] = quantised(safety)
      parts[costColumn + row] = quantised(cost)
      scores[row] =
        WEIGHT.success * stats[s]! +
        WEIGHT.context * stats[s + 1]! +
        WEIGHT.evidence * stats[s + 6]! +
        WEIGHT.safety * safety +
        WEIGHT.cost * (1 - cost) +
        congestionLeft
      lower[row] = stats[s + 3]!
      upper[row] = stats[s + 4]!
      evidence[row] = stats[s + 2]!
    }
  }

  return {
    name: 'pattern',
    version: 1,
    parts: patternParts,
    hasRates: true,
    runAbove: options.policy.runAbove,
    skipBelow: options.policy.skipBelow,
    weighsCost: false,
    safetyPart: patternParts.indexOf('safety'),
    score,
  }
}

function wholeMean(sum: number, seen: number): number {
  return Math.min(0xffffffff, Math.floor(sum / seen + 0.5))
}

/** By how much a difference passes what is tolerated, as a share of `unlike`, at most 1. */
function excess(difference: number, tolerated: number, unlike: number): number {
  const distance = (difference < 0 ? -difference : difference) - tolerated
  return distance <= 0 ? 0 : distance >= unlike ? 1 : distance / unlike
}
