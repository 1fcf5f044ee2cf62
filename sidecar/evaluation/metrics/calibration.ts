import { descending } from './descending.ts'

/** Rows with neighbouring predictions. */
export type CalibrationBin = {
  readonly rows: number
  /** Mean prediction. */
  readonly predicted: number
  /** Share that succeeded. */
  readonly observed: number
  /** Σ (p - mean p)² - 2 (p - mean p)(y - mean y) over its rows: what the bin's means leave out of the Brier score. */
  readonly spread: number
}

/** `brier` = reliability - resolution + uncertainty + withinBins, exactly but for rounding. */
export type BrierParts = {
  readonly brier: number
  /** How far predictions are from what happened, bin by bin; lower is better. */
  readonly reliability: number
  /** How far bins are from the overall rate; higher is better. */
  readonly resolution: number
  /** Variance of the outcome: what the overall rate would score. */
  readonly uncertainty: number
  /** What bins hide: predictions that differ inside a bin. May be negative. */
  readonly withinBins: number
}

/**
 * Bins of equal mass, as nearly as ties let: equal predictions share a bin, so that the order of rows never counts. Rising
 * by prediction, none empty, `count` at most.
 */
export function equalMassBins(p: Float64Array, succeeded: Uint8Array, count = 15): CalibrationBin[] {
  const order = descending(p).reverse()
  const bins: CalibrationBin[] = []
  let from = 0
  for (let end = 1; end <= order.length; end++) {
    const isTied = end < order.length && p[order[end]!] === p[order[end - 1]!]
    // The bin is full once it ends at or beyond the boundary that follows its start.
    const boundary = (Math.floor((from * count) / order.length + 1e-9) + 1) * (order.length / count)
    if (isTied || (end < order.length && end < boundary - 1e-9)) continue
    bins.push(binOf(order.subarray(from, end), p, succeeded))
    from = end
  }
  return bins
}

/** Mean distance between prediction and outcome over the bins, by rows: expected calibration error. 0 without rows. */
export function calibrationError(bins: readonly CalibrationBin[]): number {
  return meanOf(bins, ({ predicted, observed }) => Math.abs(predicted - observed))
}

/** Murphy's parts of the Brier score over the bins. All zeros without rows. */
export function brierParts(bins: readonly CalibrationBin[]): BrierParts {
  const rate = meanOf(bins, ({ observed }) => observed)
  const reliability = meanOf(bins, ({ predicted, observed }) => (predicted - observed) ** 2)
  const resolution = meanOf(bins, ({ observed }) => (observed - rate) ** 2)
  const withinBins = meanOf(bins, ({ spread, rows }) => spread / rows)
  const uncertainty = rate * (1 - rate)
  return {
    brier: reliability - resolution + uncertainty + withinBins,
    reliability,
    resolution,
    uncertainty,
    withinBins,
  }
}

/** Squared distance of prediction and outcome, by row; its mean is the Brier score. */
export function squaredErrors(p: Float64Array, succeeded: Uint8Array): Float64Array {
  return p.map((given, row) => (given - succeeded[row]!) ** 2)
}

function binOf(rows: Uint32Array, p: Float64Array, succeeded: Uint8Array): CalibrationBin {
  let predicted = 0
  let observed = 0
  for (const row of rows) {
    predicted += p[row]!
    observed += succeeded[row]!
  }
  predicted /= rows.length
  observed /= rows.length
  let spread = 0
  for (const row of rows) {
    const off = p[row]! - predicted
    spread += off * off - 2 * off * (succeeded[row]! - observed)
  }
  return { rows: rows.length, predicted, observed, spread }
}

function meanOf(bins: readonly CalibrationBin[], of: (bin: CalibrationBin) => number): number {
  let sum = 0
  let rows = 0
  for (const bin of bins) {
    sum += bin.rows * of(bin)
    rows += bin.rows
  }
  return rows === 0 ? 0 : sum / rows
}
