/** The cosine of two vectors of length 1: their product. */
export function closeness(a: Float32Array, b: Float32Array): number {
  let product = 0
  for (let at = 0; at < a.length; at += 1) product += a[at]! * b[at]!
  return product
}
