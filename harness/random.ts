import { hash } from 'node:crypto'

/** A deterministic source of numbers. Two of different stream names are independent of each other. */
export type Random = {
  /** Uniform in 0 … 2^32 - 1. */
  readonly uint32: () => number
  /** Uniform in 0 … `bound` - 1. */
  readonly below: (bound: number) => number
  /** True with the given probability, 0 to 1. */
  readonly chance: (probability: number) => boolean
  readonly pick: <T>(items: readonly T[]) => T
  /** An item of `[item, weight]` pairs, by weight. */
  readonly weighted: <T>(items: readonly (readonly [T, number])[]) => T
  readonly bytes: (length: number) => Uint8Array
}

/**
 * The stream of numbers named `stream` under `seed`: the same pair gives the same numbers on every machine. Naming a
 * stream per purpose (and per block) keeps one consumer's draws from shifting another's.
 */
export function createRandom(seed: string | number, stream: string): Random {
  const uint32 = sfc32(hash('sha256', `${seed}\0${stream}`, 'buffer'))
  const unit = () => uint32() / 0x1_0000_0000
  const below = (bound: number) => Math.floor(unit() * bound)
  return {
    uint32,
    below,
    chance: (probability) => unit() < probability,
    pick: (items) => {
      if (items.length === 0) throw new RangeError('expected at least one item to pick from, got none')
      return items[below(items.length)]!
    },
    weighted: (items) => {
      let rest = unit() * items.reduce((sum, [, weight]) => sum + weight, 0)
      for (const [item, weight] of items) {
        rest -= weight
        if (rest < 0) return item
      }
      // Only rounding gets here, with `rest` at zero.
      return items[items.length - 1]![0]
    },
    bytes: (length) => {
      const bytes = Buffer.alloc(length)
      for (let at = 0; at < length; at++) bytes[at] = uint32() & 0xff
      return bytes
    },
  }
}

/** Chris Doty-Humphrey's sfc32: 128 bits of state, passes PractRand, four additions a number. */
function sfc32(seed: Buffer): () => number {
  let a = seed.readUInt32LE(0)
  let b = seed.readUInt32LE(4)
  let c = seed.readUInt32LE(8)
  let counter = seed.readUInt32LE(12)
  return () => {
    const result = (a + b + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + result
    c |= 0
    return result >>> 0
  }
}
