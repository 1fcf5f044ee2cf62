import type { Interval } from './metrics/blockBootstrap.ts'
import type { BrierParts, CalibrationBin } from './metrics/calibration.ts'
import type { CoverageCurve } from './metrics/coverage.ts'
import type { InputKind } from './types.ts'

/**
 * Ours against another on the same rows. `difference` is in favour of ours when positive, whatever the metric; the verdict
 * is `wins` or `loses` where all of its 95 % interval is on one side of 0, `same` where not one row differs.
 */
export type Comparison = {
  readonly difference: Interval
  readonly verdict: 'wins' | 'ties' | 'loses' | 'same'
}

/** How good a predictor's probabilities are. Intervals are 95 %, from resampled blocks. */
export type PredictorReport = {
  readonly name: string
  readonly about: string
  readonly logLoss: Interval
  readonly brier: Interval
  readonly brierParts: Omit<BrierParts, 'brier'>
  /** Expected calibration error over `bins`. */
  readonly calibrationError: number
  readonly bins: readonly Omit<CalibrationBin, 'spread'>[]
  /** Of finding failures; null where there is none. A predictor that knows nothing has the share of failures. */
  readonly averagePrecision: Interval | null
  readonly coverage: CoverageCurve
  /** Null for ours itself. */
  readonly oursAgainstIt: {
    readonly logLoss: Comparison
    readonly brier: Comparison
    readonly averagePrecision: Comparison | null
  } | null
}

/** What acting would have been worth, by transaction. */
export type PolicyReport = {
  readonly name: string
  readonly about: string
  /** Share that ran, and of those the share that failed (null where nothing ran). */
  readonly coverage: number
  readonly risk: number | null
  readonly utility: Interval
  /** What the oracle that runs exactly the successes has more. */
  readonly regret: Interval
  readonly oursAgainstIt: Comparison | null
}

/** A part of the router's score that is no probability of success, against its simplest rival. */
export type HeadReport = {
  readonly name: string
  readonly about: string
  readonly metric: string
  readonly value: number | null
  readonly rival: string
  readonly rivalValue: number | null
}

export type SliceReport = {
  readonly name: string
  readonly about: string
  readonly rows: number
  readonly failed: number
  readonly blocks: number
  readonly predictors: readonly PredictorReport[]
  readonly policies: readonly PolicyReport[]
  readonly heads: readonly HeadReport[]
}

/** One kind of traffic: where the losses come from. */
export type GroupReport = {
  readonly name: string
  readonly rows: number
  readonly failed: number
  /** Share that ours ran. */
  readonly coverage: number
  /** Mean log loss, by predictor. */
  readonly logLoss: Readonly<Record<string, number>>
}

export type VariantReport = {
  readonly name: string
  readonly about: string
  readonly modelVersion: string
  /** Epochs decided with context that had rows; 0: context could not have helped. */
  readonly contextEpochs: number
  /** Share of transactions whose context needed no search, the first pass over the blocks included. */
  readonly cacheHitRate: number
}

export type InputReport = {
  readonly kind: InputKind
  readonly name: string
  readonly blocks: number
  readonly transactions: number
  readonly unknown: number
  readonly envelopesRun: number
  /** What one success is worth, in gas or compute units. */
  readonly unitsPerSuccess: number
  readonly variants: readonly VariantReport[]
  readonly slices: readonly SliceReport[]
  /** None where nobody knows the kinds. */
  readonly groups: readonly GroupReport[]
  /** Milliseconds of `decide` by block, of the router as configured: the one figure that differs from run to run. */
  readonly latency: {
    readonly blocks: number
    readonly p50: number
    readonly p99: number
    readonly max: number
  }
}

export type EvaluationReport = {
  readonly version: 1
  readonly seed: string
  /** Resampled sets of blocks behind every interval. */
  readonly draws: number
  readonly inputs: readonly InputReport[]
}
