import { descending } from './descending.ts'

/**
 * Area under the precision-recall curve as average precision: over falling scores, the precision at each score times the
 * recall it adds. Equal scores count as one step, so that the order of rows never counts. Not interpolated: a constant
 * score has the share of positives. undefined without positives.
 */
export function averagePrecision(scores: Float64Array, positive: Uint8Array): number | undefined {
  return prepareAveragePrecision(scores, positive, new Int32Array(scores.length))([1])
}

/**
 * The same for many weightings of the same rows, sorted once: row `i` counts `weights[group[i]]` times.
 *
 * @example
 * const of = prepareAveragePrecision(scores, failed, block)
 * const resampled = draws.map((timesDrawn) => of(timesDrawn))
 */
export function prepareAveragePrecision(
  scores: Float64Array,
  positive: Uint8Array,
  group: Int32Array,
): (weights: ArrayLike<number>) => number | undefined {
  const order = descending(scores)
  const groups = Int32Array.from(order, (row) => group[row]!)
  const positives = Uint8Array.from(order, (row) => positive[row]!)
  /** 1 where a run of equal scores ends. */
  const ends = Uint8Array.from(order, (row, at) =>
    at + 1 === order.length || scores[order[at + 1]!] !== scores[row] ? 1 : 0,
  )
  return (weights) => {
    let rows = 0
    let found = 0
    let foundBefore = 0
    let area = 0
    for (let at = 0; at < groups.length; at++) {
      const weight = weights[groups[at]!]!
      rows += weight
      if (positives[at] === 1) found += weight
      if (ends[at] === 0 || found === foundBefore) continue
      area += (found - foundBefore) * (found / rows)
      foundBefore = found
    }
    return found === 0 ? undefined : area / found
  }
}
