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
  for (let number = 1; number <= mostLeast; number += 1) {
    const length = number / least
    if (length > longest) break
    if (isWhole(vector, length)) return { numbers: scaled(vector, length), length }
  }
  return { numbers: scaled(vector, longest), length: longest }
}

function isWhole(vector: Float32Array, length: number): boolean {
  for (let at = 0; at < dimensions; at += 1) {
    const number = vector[at]! * length
    if (Math.abs(number - Math.round(number)) > tolerance) return false
  }
  return true
}

function scaled(vector: Float32Array, length: number): Int8Array {
  const numbers = new Int8Array(dimensions)
  for (let at = 0; at < dimensions; at += 1) numbers[at] = Math.round(vector[at]! * length)
  return numbers
}
