import type { Feature } from './featureVector.ts'

/**
 * The names and weights shared by transactions, patterns and queries, so that all three meet in one space. What a
 * transaction calls counts most, who calls counts little: context is about what was done.
 */
export const toFeature = (address: string): Feature => [`to:${address.toLowerCase()}`, 3]
export const selectorFeature = (selector: string): Feature => [`selector:${selector.toLowerCase()}`, 3]
export const crossFeature = (address: string, selector: string): Feature => [
  `cross:${address.toLowerCase()}:${selector.toLowerCase()}`,
  3,
]
export const fromFeature = (address: string): Feature => [`from:${address.toLowerCase()}`, 1]
export const gasFeature = (gasLimit: number): Feature => [`gas:${bucket(gasLimit)}`, 1]
export const lengthFeature = (calldataBytes: number): Feature => [`length:${bucket(calldataBytes)}`, 1]
export const wordsFeature = (calldataBytes: number): Feature => [`words:${wordCount(calldataBytes)}`, 0.5]
export const typeFeature = (type: number): Feature => [`type:${type}`, 0.5]

/** @param bits length of the value in wei as a binary number; 0 for no value */
export const valueFeature = (bits: number): Feature => [`value:${bits}`, 1]

/** The word's position and how many of its leading digits are zero, in pairs: addresses, amounts and offsets differ. */
export const shapeFeature = (index: number, zeroPairs: number): Feature => [
  `shape:${index}:${zeroPairs}`,
  0.5,
]

/** Whole 32-byte words after the selector, at most 64. */
function wordCount(calldataBytes: number): number {
  return calldataBytes > 4 ? Math.min(64, Math.floor((calldataBytes - 4) / 32)) : 0
}

/** Length of a count as a binary number: integer steps only, never `Math.log2`, which machines may round apart. */
function bucket(count: number): number {
  let bits = 0
  for (let rest = Number.isFinite(count) ? Math.max(0, Math.floor(count)) : 0; rest >= 1; rest /= 2) bits += 1
  return bits
}
