/**
 * log2 of a positive whole number below 2^32, by additions, multiplications and divisions alone: `Math.log2` may differ
 * in its last bit between engines, and decisions may not. Exact for powers of two, within 1e-15 elsewhere.
 */
export function log2(n: number): number {
  const whole = 31 - Math.clz32(n)
  const mantissa = n / (whole === 31 ? 2_147_483_648 : 1 << whole)
  // ln((1 + z) / (1 - z)) = 2 (z + z^3/3 + z^5/5 + …), with z at most a third.
  const z = (mantissa - 1) / (mantissa + 1)
  const square = z * z
  let sum = 0
  for (let k = 35; k >= 1; k -= 2) sum = sum * square + 1 / k
  return whole + (2 * z * sum) / Math.LN2
}
