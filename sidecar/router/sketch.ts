/** Words of a sketch: 128 bits. */
export const SKETCH_WORDS = 4

/** What a pattern is sketched from: its key, and, where it has a row, the sizes it usually comes with. */
export type SketchSource = {
  /** Seven words at `at`. */
  readonly keys: Uint32Array
  readonly at: number
  /** Means in quarters of an octave; -1 for a pattern without a row. */
  readonly gasQuarters: number
  readonly calldataQuarters: number
  readonly valueBits: number
}

const hashes = new Int32Array(6)

/**
 * Writes the sign sketch of a pattern's feature-hash vector: every feature is a vector of 128 signs, they are added up
 * with weights (contract 3, selector 3, both together 1, calldata 2, gas 1, value 1), and a bit tells where the sum is
 * positive. The weights in use add up to an odd number (11, or 7 without sizes), so no sum is zero. Patterns that share
 * features share bits; integers only.
 */
export function writeSketch(source: SketchSource, into: Int32Array, offset: number): void {
  const { keys, at } = source
  const contract = mix(
    mix(mix(mix(mix(0x5bd1e995, keys[at]!), keys[at + 1]!), keys[at + 2]!), keys[at + 3]!),
    keys[at + 4]!,
  )
  const selector = mix(0x1b873593, keys[at + 5]!)
  const sized = source.gasQuarters >= 0
  hashes[0] = contract
  hashes[1] = selector
  hashes[2] = mix(contract, selector)
  if (sized) {
    // Octaves of calldata and gas, steps of 16 bits of value: coarse enough that like meets like.
    hashes[3] = mix(0x3c6ef372, source.calldataQuarters >> 2)
    hashes[4] = mix(0x78dde6e4, source.gasQuarters >> 2)
    hashes[5] = mix(0x0cc175b9, source.valueBits >> 4)
  }
  for (let word = 0; word < SKETCH_WORDS; word++) {
    // Bit-sliced counters: bit i of p0..p3 is the count of bit i, 0 to 11.
    const c = spread(hashes[0]!, word)
    const s = spread(hashes[1]!, word)
    let p0 = c ^ s
    let p1 = c | s
    let p2 = c & s
    let p3 = 0
    const x = spread(hashes[2]!, word)
    let carry = p0 & x
    p0 ^= x
    let next = p1 & carry
    p1 ^= carry
    p2 ^= next
    if (!sized) {
      into[offset + word] = p2
      continue
    }
    const l = spread(hashes[3]!, word)
    next = p1 & l
    p1 ^= l
    p3 |= p2 & next
    p2 ^= next
    for (let h = 4; h < 6; h++) {
      const y = spread(hashes[h]!, word)
      carry = p0 & y
      p0 ^= y
      next = p1 & carry
      p1 ^= carry
      p3 |= p2 & next
      p2 ^= next
    }
    into[offset + word] = p3 | (p2 & p1)
  }
}

/** Bits in which two sketches differ, 0 to 128. */
export function hammingDistance(a: Int32Array, i: number, b: Int32Array, j: number): number {
  return (
    popcount(a[i]! ^ b[j]!) +
    popcount(a[i + 1]! ^ b[j + 1]!) +
    popcount(a[i + 2]! ^ b[j + 2]!) +
    popcount(a[i + 3]! ^ b[j + 3]!)
  )
}

function popcount(word: number): number {
  let x = word - ((word >>> 1) & 0x55555555)
  x = (x & 0x33333333) + ((x >>> 2) & 0x33333333)
  return Math.imul((x + (x >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}

function mix(hash: number, word: number): number {
  let h = Math.imul(hash ^ word, 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}

function spread(hash: number, word: number): number {
  return mix(hash, Math.imul(word + 1, 0x9e3779b1))
}
