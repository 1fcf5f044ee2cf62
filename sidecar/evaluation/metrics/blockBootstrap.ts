import { createRandom } from '../random.ts'

/** A figure with the interval in which 95 % of its resampled values lie. */
export type Interval = { readonly value: number; readonly low: number; readonly high: number }

/**
 * Draws of `blocks` blocks with replacement: how often each was drawn. Whole blocks, because what is in one block succeeds
 * and fails together, and rows drawn alone would make every interval too narrow. The same seed gives the same draws.
 */
export function drawBlocks(blocks: number, draws: number, seed: string): readonly Uint16Array[] {
  const random = createRandom(seed, 'bootstrap')
  return Array.from({ length: draws }, () => {
    const times = new Uint16Array(blocks)
    for (let drawn = 0; drawn < blocks; drawn++) times[random.below(blocks)]!++
    return times
  })
}

/** Mean of `values` by row, under each draw; `block` numbers each row's block from 0. */
export function resampledMeans(
  values: Float64Array,
  block: Int32Array,
  draws: readonly Uint16Array[],
): (number | undefined)[] {
  const blocks = draws[0]?.length ?? 0
  const sums = new Float64Array(blocks)
  const rows = new Float64Array(blocks)
  for (let row = 0; row < values.length; row++) {
    sums[block[row]!]! += values[row]!
    rows[block[row]!]!++
  }
  return draws.map((times) => {
    let sum = 0
    let drawn = 0
    for (let b = 0; b < blocks; b++) {
      sum += times[b]! * sums[b]!
      drawn += times[b]! * rows[b]!
    }
    return drawn === 0 ? undefined : sum / drawn
  })
}

/** The percentile interval of resampled values around `value`; draws without one (no failure drawn, say) are left out. */
export function intervalOf(value: number, resampled: readonly (number | undefined)[]): Interval {
  const sorted = Float64Array.from(resampled.filter((each) => each !== undefined)).sort()
  if (sorted.length === 0) return { value, low: value, high: value }
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!
  return { value, low: at(0.025), high: at(0.975) }
}
