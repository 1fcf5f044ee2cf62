import type { PatternProfile } from '../types.ts'
import {
  crossFeature,
  gasFeature,
  lengthFeature,
  selectorFeature,
  toFeature,
  valueFeature,
  wordsFeature,
} from './features.ts'
import { featureVector, neutralVector } from './featureVector.ts'

/** The vector of a pattern: what a transaction of it would have, without the parts a profile does not know. */
export function embedPattern(profile: PatternProfile): Float32Array {
  const { contract, selector } = patternParts(profile.id)
  return (
    featureVector([
      toFeature(contract),
      selectorFeature(selector),
      crossFeature(contract, selector),
      gasFeature(profile.gasLimit),
      valueFeature(profile.valueLog2 > 0 ? Math.floor(profile.valueLog2) + 1 : 0),
      lengthFeature(profile.calldataBytes),
      wordsFeature(profile.calldataBytes),
    ]) ?? neutralVector()
  )
}

/** A pattern's id is 40 digits of contract (or the end of a program's key), 8 of selector (or discriminator), 2 of domain. */
export function patternParts(id: string): { readonly contract: string; readonly selector: string } {
  return { contract: `0x${id.slice(0, 40)}`, selector: `0x${id.slice(40, 48)}` }
}
