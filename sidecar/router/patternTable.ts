import { KEY_WORDS } from './patternKey.ts'

/** Doubles of learner state a pattern: decayed sums as of block `LAST`. One cache line, and the stored value as it is. */
export const STATE = 8
export const OK = 0
export const FAIL = 1
/** Transactions seen, whatever became of them: what the sums below are divided by. */
export const SEEN = 2
/** Sum over executed and failed items. */
export const UNITS = 3
export const GAS = 4
export const CALLDATA = 5
export const VALUE = 6
/** Block of the newest outcome learnt. */
export const LAST = 7
export const STATE_BYTES = STATE * 8

/** Doubles of a projected row: its boundary (0: none), then eight 32-bit floats. */
export const ROW = 5
export const ROW_BYTES = ROW * 8

/**
 * Patterns by dense id, in typed arrays, with an open-addressing index of keys. An id means nothing outside of one
 * process, and no result may depend on it: the index is seeded at random, so that nobody can aim collisions at it.
 */
export class PatternTable {
  /** Ids given out so far. */
  count = 0
  /** Of these, patterns with learner state. */
  learnt = 0
  keys: Uint32Array
  state: Float64Array
  present: Uint8Array
  rows: Float64Array
  rowFields: Float32Array
  private capacity: number
  /** Pairs of (id + 1, hash); a power of two of them, at most half full. */
  private slots: Int32Array
  private readonly seed: number

  constructor(seed: number, capacity = 4096) {
    this.seed = seed
    this.capacity = capacity
    this.keys = new Uint32Array(capacity * KEY_WORDS)
    this.state = new Float64Array(capacity * STATE)
    this.present = new Uint8Array(capacity)
    this.rows = new Float64Array(capacity * ROW)
    this.rowFields = new Float32Array(this.rows.buffer)
    this.slots = new Int32Array(capacity * 4)
  }

  /** The id of a key given as five words at `at`, a selector word and a domain; a new one where it has none yet. */
  intern(words: Uint32Array, at: number, selector: number, domain: number): number {
    const w0 = words[at]! | 0
    const w1 = words[at + 1]! | 0
    const w2 = words[at + 2]! | 0
    const w3 = words[at + 3]! | 0
    const w4 = words[at + 4]! | 0
    const hash = hashKey(this.seed, w0, w1, w2, w3, w4, selector, domain)
    const { slots, keys } = this
    const mask = slots.length - 2
    let slot = (hash << 1) & mask
    for (;;) {
      const found = slots[slot]!
      if (found === 0) break
      if (slots[slot + 1] === hash) {
        const key = (found - 1) * KEY_WORDS
        if (
          (keys[key]! | 0) === w0 &&
          (keys[key + 1]! | 0) === w1 &&
          (keys[key + 2]! | 0) === w2 &&
          (keys[key + 3]! | 0) === w3 &&
          (keys[key + 4]! | 0) === w4 &&
          (keys[key + 5]! | 0) === (selector | 0) &&
          keys[key + 6] === domain
        ) {
          return found - 1
        }
      }
      slot = (slot + 2) & mask
    }
    if (this.count === this.capacity) {
      this.grow()
      return this.intern(words, at, selector, domain)
    }
    const id = this.count++
    slots[slot] = id + 1
    slots[slot + 1] = hash
    const key = id * KEY_WORDS
    keys[key] = w0
    keys[key + 1] = w1
    keys[key + 2] = w2
    keys[key + 3] = w3
    keys[key + 4] = w4
    keys[key + 5] = selector
    keys[key + 6] = domain
    return id
  }

  /** As `intern`, of key bytes (25) as stored. */
  internBytes(bytes: Uint8Array): number {
    const words = new Uint32Array(KEY_WORDS)
    new Uint8Array(words.buffer).set(bytes)
    return this.intern(words, 0, words[5]!, words[6]!)
  }

  /** A buffer over all keys: pattern `id` starts at byte `id * 28`. */
  keyBytes(): Uint8Array {
    return new Uint8Array(this.keys.buffer)
  }

  /** Puts learner state, or takes it away: the one place where stored bytes become state. */
  setState(id: number, value: Uint8Array | undefined): void {
    if (value === undefined) {
      this.learnt -= this.present[id]!
      this.present[id] = 0
      this.state.fill(0, id * STATE, (id + 1) * STATE)
    } else {
      this.learnt += 1 - this.present[id]!
      this.present[id] = 1
      new Uint8Array(this.state.buffer, id * STATE_BYTES, STATE_BYTES).set(value)
    }
  }

  /** Puts the row last projected, or takes it away. */
  setRow(id: number, value: Uint8Array | undefined): void {
    if (value === undefined) this.rows.fill(0, id * ROW, (id + 1) * ROW)
    else new Uint8Array(this.rows.buffer, id * ROW_BYTES, ROW_BYTES).set(value)
  }

  /** Smaller than 0, 0, or greater, as the keys' bytes compare. */
  compareKeys(a: number, b: number): number {
    const { keys } = this
    for (let word = 0, x = a * KEY_WORDS, y = b * KEY_WORDS; word < KEY_WORDS; word++, x++, y++) {
      if (keys[x] !== keys[y]) return swapBytes(keys[x]!) - swapBytes(keys[y]!)
    }
    return 0
  }

  /**
   * Forgets every id that has neither state nor a projected row, nor is in `keep`; returns the new id of each old one
   * (-1: forgotten). Changes no result: only state and rows do.
   */
  compact(keep: Uint8Array): Int32Array {
    const renamed = new Int32Array(this.count).fill(-1)
    let next = 0
    for (let id = 0; id < this.count; id++) {
      if (this.present[id] === 0 && this.rows[id * ROW] === 0 && keep[id] === 0) continue
      renamed[id] = next
      this.keys.copyWithin(next * KEY_WORDS, id * KEY_WORDS, (id + 1) * KEY_WORDS)
      this.state.copyWithin(next * STATE, id * STATE, (id + 1) * STATE)
      this.rows.copyWithin(next * ROW, id * ROW, (id + 1) * ROW)
      this.present[next] = this.present[id]!
      next++
    }
    this.state.fill(0, next * STATE, this.count * STATE)
    this.rows.fill(0, next * ROW, this.count * ROW)
    this.present.fill(0, next, this.count)
    this.count = next
    this.reindex()
    return renamed
  }

  private grow(): void {
    this.capacity *= 2
    this.keys = copied(this.keys, new Uint32Array(this.capacity * KEY_WORDS))
    this.state = copied(this.state, new Float64Array(this.capacity * STATE))
    this.present = copied(this.present, new Uint8Array(this.capacity))
    this.rows = copied(this.rows, new Float64Array(this.capacity * ROW))
    this.rowFields = new Float32Array(this.rows.buffer)
    this.slots = new Int32Array(this.capacity * 4)
    this.reindex()
  }

  private reindex(): void {
    const { slots, keys } = this
    slots.fill(0)
    const mask = slots.length - 2
    for (let id = 0, k = 0; id < this.count; id++, k += KEY_WORDS) {
      const hash = hashKey(
        this.seed,
        keys[k]!,
        keys[k + 1]!,
        keys[k + 2]!,
        keys[k + 3]!,
        keys[k + 4]!,
        keys[k + 5]!,
        keys[k + 6]!,
      )
      let slot = (hash << 1) & mask
      while (slots[slot] !== 0) slot = (slot + 2) & mask
      slots[slot] = id + 1
      slots[slot + 1] = hash
    }
  }
}

function hashKey(
  seed: number,
  w0: number,
  w1: number,
  w2: number,
  w3: number,
  w4: number,
  selector: number,
  domain: number,
): number {
  let h = Math.imul(seed ^ w0, 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 15) ^ w1, 0xc2b2ae35)
  h = Math.imul(h ^ (h >>> 13) ^ w2, 0x27d4eb2f)
  h = Math.imul(h ^ (h >>> 16) ^ w3, 0x165667b1)
  h = Math.imul(h ^ (h >>> 14) ^ w4, 0x9e3779b1)
  h = Math.imul(h ^ (h >>> 15) ^ selector, 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13) ^ domain, 0xc2b2ae35)
  return h ^ (h >>> 16)
}

function swapBytes(word: number): number {
  return ((word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)) >>> 0
}

function copied<T extends Uint8Array | Uint32Array | Float64Array>(from: T, into: T): T {
  into.set(from)
  return into
}
