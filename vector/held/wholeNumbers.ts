import { dimensions } from '../embed/featureVector.ts'

/** A vector of length 1 as whole numbers, which fit a byte, over their length. */
export type WholeNumbers = { readonly numbers: Int8Array; readonly length: number }

/** What the least of the numbers is tried as. */
const mostLeast = 8
/** Longer ones could exceed a byte, or their product two. */
const longest = 127
/** Of a whole number: components are rounded to 24 bits. */
const tolerance = 1e-3

/**
 * Feature vectors are sums of halves over their length, so nothing is lost: their products are those of the vectors. Others are rounded, and
 * products are off by less than 0.01.
 */
export function wholeNumbers(vector: Float32Array): WholeNumbers {
  let least = Number.POSITIVE_INFINITY
  for (let at = 0; at < dimensions; at += 1) {
    const size = Math.abs(vector[at]!)
    if (size > 0 && size < least) least = size
  }
  const numbers = new Int8Array(dimensions)
  for (let number = 1; number <= mostLeast; number += 1) {
    const length = number / least
    if (length > longest) break
    if (scale(vector, length, numbers) <= tolerance) return { numbers, length }
  }
  scale(vector, longest, numbers)
  return { numbers, length: longest }
}

/** Returns how far a component was from a whole number at most. */
function scale(vector: Float32Array, length: number, numbers: Int8Array): number {
  let farthest = 0
  for (let at = 0; at < dimensions; at += 1) {
    const exact = vector[at]! * length
    const number = Math.round(exact)
    numbers[at] = number
    const distance = Math.abs(exact - number)
    if (distance > farthest) farthest = distance
  }
  return farthest
}
