/** Percentiles of a duration in milliseconds. */
export type LatencySummary = { readonly p50: number; readonly p99: number; readonly max: number }

/** Buckets per doubling: 16 keeps a percentile within 4.4 % of the truth (2^(1/16) = 1.044). */
const STEPS = 16
/** From 2^-7 ms (8 µs) to 2^25 ms (9 hours). */
const LOWEST_EXPONENT = -7
const BUCKETS = 32 * STEPS

/** A histogram of fixed size, for any number of recordings. */
export function createLatencyRecorder() {
  const counts = new Float64Array(BUCKETS)
  let total = 0
  let max = 0

  const upperBound = (bucket: number) => 2 ** ((bucket + 1) / STEPS + LOWEST_EXPONENT)
  const percentile = (share: number): number => {
    const rank = Math.ceil(total * share)
    let seen = 0
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      seen += counts[bucket]!
      if (seen >= rank) return Math.min(max, upperBound(bucket))
    }
    return max
  }

  return {
    /** @param ms negative values (clocks that disagree) count as 0 */
    record(ms: number, times = 1): void {
      const value = Math.max(ms, 0)
      const bucket = Math.floor((Math.log2(Math.max(value, 2 ** LOWEST_EXPONENT)) - LOWEST_EXPONENT) * STEPS)
      counts[Math.min(bucket, BUCKETS - 1)]! += times
      total += times
      if (value > max) max = value
    },
    /** All zeros while nothing was recorded. */
    summary(): LatencySummary {
      const round = (ms: number) => Math.round(ms * 1000) / 1000
      if (total === 0) return { p50: 0, p99: 0, max: 0 }
      return { p50: round(percentile(0.5)), p99: round(percentile(0.99)), max: round(max) }
    },
  }
}

export type LatencyRecorder = ReturnType<typeof createLatencyRecorder>
