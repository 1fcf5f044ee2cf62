import type { StateWrite } from '../notification/stateWrite.ts'
import { exp } from './expLog.ts'
import { HashedRows } from './hashedRows.ts'

/** Words after the tag and the block learnt last. Units are log2, sizes in their own steps (see `ProgramSizes`). */
const OUTCOMES = 2
const RAN = 3
const UNITS = 4
const UNITS_SQUARED = 5
/** Median and median deviation of each size. */
const SIZES = 6
const WORDS = SIZES + 2 * 3

/** What an envelope is compared with others of its pattern by: quarter octaves of gas limit and payload, bits of value. */
export type ProgramSizes = { readonly gas: number; readonly payload: number; readonly value: number }

/** An outcome moves a mean by at least 1 %, a median by at least 2 % of its deviation: old ones are forgotten. */
const SLOWEST_MEAN = 0.01
const SLOWEST_MEDIAN = 0.02
/** A median deviation is never taken for less, or the first other size would be infinitely odd. */
const LEAST_DEVIATION = 0.4
/** Outcomes needed before a profile says anything. */
const ENOUGH = 3
/** A median deviation is this part of a normal distribution's standard deviation. */
const DEVIATION_OF_NORMAL = 0.6745
/** Standard deviations above the mean that nine of ten stay below. */
const NINE_OF_TEN = 1.2816
const LEAST_UNITS_VARIANCE = 0.01
const { LN2 } = Math

/** Compute units used, and the sizes envelopes usually have, for each pattern of programs that ran. */
export class ProgramProfiles {
  readonly rows: HashedRows

  constructor(kind: number, bits: number) {
    this.rows = new HashedRows(kind, bits, WORDS)
  }

  /** -1 where nothing is known. */
  find(bucket: number, tag: number): number {
    return this.rows.find(bucket, tag)
  }

  /**
   * How unlike the others: the largest distance from a median in standard deviations, estimated robustly. 0 for a
   * profile that is unknown or has too few outcomes.
   */
  oddity(at: number, sizes: ProgramSizes): number {
    const { floats } = this.rows
    if (at < 0 || floats[at + OUTCOMES]! <= ENOUGH) return 0
    const gas = distance(floats, at + SIZES, sizes.gas)
    const payload = distance(floats, at + SIZES + 2, sizes.payload)
    const value = distance(floats, at + SIZES + 4, sizes.value)
    return Math.max(gas, payload, value) * DEVIATION_OF_NORMAL
  }

  /** How many standard deviations a limit (log2 of units) lies above what successful runs use; undefined: unknown. */
  headroom(at: number, limit: number): number | undefined {
    const { floats } = this.rows
    if (at < 0 || floats[at + RAN]! < ENOUGH) return undefined
    return (limit - floats[at + UNITS]!) / deviation(floats, at)
  }

  /** Compute units that nine of ten successful runs stay below; undefined: unknown. */
  upperUnits(at: number): number | undefined {
    const { floats } = this.rows
    if (at < 0 || floats[at + RAN]! < 1) return undefined
    return exp(LN2 * (floats[at + UNITS]! + NINE_OF_TEN * deviation(floats, at)))
  }

  /** Learns an envelope that ran; `units` is log2 of a successful item's compute units, undefined when none was. */
  learn(bucket: number, tag: number, block: number, sizes: ProgramSizes, units: number | undefined): void {
    const at = this.rows.claim(bucket, tag, block)
    const { floats } = this.rows
    const outcomes = floats[at + OUTCOMES]!
    floats[at + OUTCOMES] = outcomes + 1
    follow(floats, at + SIZES, sizes.gas, outcomes)
    follow(floats, at + SIZES + 2, sizes.payload, outcomes)
    follow(floats, at + SIZES + 4, sizes.value, outcomes)
    if (units === undefined) return
    const ran = floats[at + RAN]!
    const share = Math.max(SLOWEST_MEAN, 1 / (ran + 1))
    floats[at + RAN] = ran + 1
    floats[at + UNITS] = floats[at + UNITS]! + share * (units - floats[at + UNITS]!)
    floats[at + UNITS_SQUARED] =
      floats[at + UNITS_SQUARED]! + share * (units * units - floats[at + UNITS_SQUARED]!)
  }

  flush(writes: StateWrite[]): void {
    this.rows.flush(writes)
  }
}

function distance(floats: Float32Array, at: number, size: number): number {
  const difference = size - floats[at]!
  return (difference < 0 ? -difference : difference) / floats[at + 1]!
}

/** Moves a median and its deviation one step towards a size: by sign alone, so that no outlier counts for more. */
function follow(floats: Float32Array, at: number, size: number, outcomes: number): void {
  if (outcomes === 0) {
    floats[at] = size
    floats[at + 1] = 2
    return
  }
  const rate = Math.max(SLOWEST_MEDIAN, 1 / (outcomes + 1))
  const spread = floats[at + 1]!
  const median = floats[at]! + (size === floats[at]! ? 0 : size > floats[at]! ? 2 : -2) * rate * spread
  floats[at] = median
  const off = size > median ? size - median : median - size
  floats[at + 1] = Math.max(LEAST_DEVIATION, spread + (off > spread ? rate : -rate) * spread)
}

function deviation(floats: Float32Array, at: number): number {
  const mean = floats[at + UNITS]!
  return Math.sqrt(Math.max(LEAST_UNITS_VARIANCE, floats[at + UNITS_SQUARED]! - mean * mean))
}
