import { descending } from './descending.ts'

/** Of the share `coverage` with the highest predictions, the share `risk` failed. */
export type CoveragePoint = { readonly coverage: number; readonly risk: number }

/** What acting on the surest alone costs: `points` from the smallest share to all. */
export type CoverageCurve = {
  readonly points: readonly CoveragePoint[]
  /** Mean risk over all coverages of a whole number of rows; lower is better. 0 without rows. */
  readonly area: number
}

/**
 * Risk against coverage when the least promising are left alone. Of equal predictions every choice is as good, so they
 * count with their mean: the order of rows never counts.
 */
export function coverageCurve(p: Float64Array, succeeded: Uint8Array, points = 20): CoverageCurve {
  const order = descending(p)
  const rows = order.length
  /** Expected failures among the first so many. */
  const failures = new Float64Array(rows + 1)
  for (let from = 0, end = 0; from < rows; from = end) {
    let failed = 0
    for (end = from; end < rows && p[order[end]!] === p[order[from]!]; end++) {
      if (succeeded[order[end]!] === 0) failed++
    }
    const rate = failed / (end - from)
    for (let at = from; at < end; at++) failures[at + 1] = failures[from]! + (at + 1 - from) * rate
  }
  let area = 0
  for (let covered = 1; covered <= rows; covered++) area += failures[covered]! / covered / rows
  const curve: CoveragePoint[] = []
  for (let point = 1; point <= points && rows > 0; point++) {
    const covered = Math.max(1, Math.floor((point * rows) / points + 0.5))
    curve.push({ coverage: covered / rows, risk: failures[covered]! / covered })
  }
  return { points: curve, area }
}
