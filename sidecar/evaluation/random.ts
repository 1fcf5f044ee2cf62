import { hash } from 'node:crypto'

/** A deterministic source of numbers. Streams of different names under one seed are independent of each other. */
export type Random = {
  /** Uniform in [0, 1), a multiple of 2^-32. */
  readonly unit: () => number
  /** A whole number, uniform in 0 … `bound` - 1. */
  readonly below: (bound: number) => number
  /** True with the given probability. */
  readonly chance: (probability: number) => boolean
  readonly pick: <T>(items: readonly T[]) => T
}

/** The stream of numbers named `stream` under `seed`, the same on every machine: Doty-Humphrey's sfc32. */
export function createRandom(seed: string, stream: string): Random {
  const state = hash('sha256', `${seed}\0${stream}`, 'buffer')
  let a = state.readInt32LE(0)
  let b = state.readInt32LE(4)
  let c = state.readInt32LE(8)
  let counter = state.readInt32LE(12)
  const unit = () => {
    const result = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + result) | 0
    return (result >>> 0) / 0x1_0000_0000
  }
  const below = (bound: number) => Math.floor(unit() * bound)
  return {
    unit,
    below,
    chance: (probability) => unit() < probability,
    pick: (items) => {
      if (items.length === 0) throw new RangeError('expected at least one item to pick from, got none')
      return items[below(items.length)]!
    },
  }
}
