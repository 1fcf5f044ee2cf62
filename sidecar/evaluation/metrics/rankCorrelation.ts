import { descending } from './descending.ts'

/** Spearman's rank correlation, -1 to 1, equal values with their mean rank; undefined where either is constant. */
export function rankCorrelation(a: Float64Array, b: Float64Array): number | undefined {
  const x = ranksOf(a)
  const y = ranksOf(b)
  // Ranks with means for ties always add up to the same.
  const mean = (x.length + 1) / 2
  let xy = 0
  let xx = 0
  let yy = 0
  for (let row = 0; row < x.length; row++) {
    const dx = x[row]! - mean
    const dy = y[row]! - mean
    xy += dx * dy
    xx += dx * dx
    yy += dy * dy
  }
  return xx === 0 || yy === 0 ? undefined : xy / Math.sqrt(xx * yy)
}

function ranksOf(values: Float64Array): Float64Array {
  const order = descending(values).reverse()
  const ranks = new Float64Array(values.length)
  for (let from = 0, end = 0; from < order.length; from = end) {
    end = from + 1
    while (end < order.length && values[order[end]!] === values[order[from]!]) end++
    for (let at = from; at < end; at++) ranks[order[at]!] = (from + 1 + end) / 2
  }
  return ranks
}
