/** Where a thing's row of `HashedRows` is looked for, and what tells it from others of its bucket: 32 bits each. */
export type RowHash = { bucket: number; tag: number }

const SEEDS = { bucket: 0x5bd1e995, tag: 0x1b873593 }

/** Hashes `length` bytes (a multiple of four) from `start`; the same on every instance, so not seeded. */
export function hashBytes(
  kind: number,
  bytes: Uint8Array,
  start: number,
  length: number,
  into: RowHash,
): void {
  let a = SEEDS.bucket ^ kind
  let b = SEEDS.tag ^ kind
  for (let at = start, end = start + length; at < end; at += 4) {
    const word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
    a = mix(a, word)
    b = mix(b ^ 0x9e3779b1, word)
  }
  finish(a, b, into)
}

/** The hash of a pair of things. */
export function hashPair(kind: number, one: RowHash, other: RowHash, into: RowHash): void {
  const a = mix(mix(mix(SEEDS.bucket ^ kind, one.bucket), one.tag), other.tag)
  const b = mix(mix(mix(SEEDS.tag ^ kind, other.bucket), one.tag), one.bucket ^ other.tag)
  finish(a, b, into)
}

function finish(a: number, b: number, into: RowHash): void {
  into.bucket = (a ^ (a >>> 15)) >>> 0
  // A tag of 0 is an empty row.
  into.tag = (b ^ (b >>> 13)) >>> 0 || 1
}

function mix(hash: number, word: number): number {
  let h = Math.imul(hash ^ word, 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}
