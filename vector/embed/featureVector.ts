import { hashFeature } from './hashFeature.ts'

/** Length of every stored vector. */
export const dimensions = 128

/** Names the features, their weights and the hash together: changing any of them needs a new version. */
export const embedderId = 'feature-hash-128/1'

/** A named fact of a transaction, pattern or query, and how much it counts. */
export type Feature = readonly [name: string, weight: number]

/**
 * Hashes features into a vector of length 1. Every feature lands on four signed places, one for each byte of its hash
 * (7 bits place, 1 bit sign), so that two features rarely share all of them. Weights are halves: sums are
 * exact in any order, and the same features give the same bits on every machine.
 * Undefined when there is no feature, or when all cancel out: a zero vector has no direction for cosine distance.
 */
export function featureVector(features: Iterable<Feature>): Float32Array | undefined {
  const sums = new Float64Array(dimensions)
  for (const [name, weight] of features) {
    const hash = hashFeature(name)
    for (let shift = 0; shift < 32; shift += 8) {
      const place = (hash >>> shift) & 0x7f
      sums[place]! += (hash >>> shift) & 0x80 ? -weight : weight
    }
  }
  let squares = 0
  for (const sum of sums) squares += sum * sum
  if (squares === 0) return undefined
  const norm = Math.sqrt(squares)
  const vector = new Float32Array(dimensions)
  for (let place = 0; place < dimensions; place += 1) vector[place] = sums[place]! / norm
  return vector
}

/** Stands in for a row whose features cancel out: valid, and near nothing in particular. */
export function neutralVector(): Float32Array {
  const vector = new Float32Array(dimensions)
  vector[0] = 1
  return vector
}
