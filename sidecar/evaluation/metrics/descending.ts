/** Row numbers by falling value; equal values stay in row order. NaN is not a value. */
export function descending(values: Float64Array): Uint32Array {
  return Uint32Array.from(values, (_, row) => row).sort((a, b) => values[b]! - values[a]! || a - b)
}
