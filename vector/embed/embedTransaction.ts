import type { TransactionRow } from '../types.ts'
import {
  crossFeature,
  fromFeature,
  gasFeature,
  lengthFeature,
  selectorFeature,
  shapeFeature,
  toFeature,
  typeFeature,
  valueFeature,
  wordsFeature,
} from './features.ts'
import { type Feature, featureVector, neutralVector } from './featureVector.ts'

/** Digits of calldata that are looked at, whatever is kept: another number of them would be another embedder. */
const headDigits = 512

/** The vector of a transaction, from what is known before it runs: outcome, route and gas used never enter. */
export function embedTransaction(row: TransactionRow): Float32Array {
  const features: Feature[] = [
    toFeature(row.to),
    selectorFeature(row.selector),
    crossFeature(row.to, row.selector),
    fromFeature(row.from),
    gasFeature(row.gasLimit),
    valueFeature(binaryLength(row.value)),
    lengthFeature(row.calldataBytes),
    wordsFeature(row.calldataBytes),
    typeFeature(row.type),
  ]
  // 8 digits of selector, then words of 64 digits; a last, cut word still has its leading digits.
  const digits = Math.min(row.calldataHead.length, headDigits)
  for (let at = 8, index = 0; at < digits; at += 64, index += 1) {
    features.push(shapeFeature(index, zeroPairs(row.calldataHead, at)))
  }
  return featureVector(features) ?? neutralVector()
}

function zeroPairs(digits: string, start: number): number {
  const end = Math.min(start + 64, digits.length, headDigits)
  let at = start
  while (at < end && digits.charCodeAt(at) === 0x30) at += 1
  return (at - start) >> 1
}

function binaryLength(decimal: string): number {
  const value = BigInt(decimal)
  return value === 0n ? 0 : value.toString(2).length
}
