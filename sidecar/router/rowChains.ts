import { KEY_WORDS } from './patternKey.ts'

/**
 * Rows of an epoch that share some words of their key (and the domain), as chains in order of rank. Built once by
 * appending ranks in order; a chain stops growing at its cap.
 */
export class RowChains {
  private readonly keys: Uint32Array
  private readonly from: number
  private readonly to: number
  private readonly cap: number
  /** First rank of a chain + 1, by slot; 0 is free. */
  private readonly heads: Int32Array
  private readonly tails: Int32Array
  private readonly lengths: Uint16Array
  private readonly next: Int32Array

  /** Chains over key words `from` to `to` (not included) of `count` rows, at most `cap` rows each. */
  constructor(keys: Uint32Array, count: number, words: { from: number; to: number; cap: number }) {
    this.keys = keys
    this.from = words.from
    this.to = words.to
    this.cap = words.cap
    const slots = 2 << (32 - Math.clz32(count))
    this.heads = new Int32Array(slots)
    this.tails = new Int32Array(slots)
    this.lengths = new Uint16Array(slots)
    this.next = new Int32Array(count)
  }

  append(rank: number): void {
    const slot = this.slotOf(this.keys, rank * KEY_WORDS)
    if (this.heads[slot] === 0) this.heads[slot] = rank + 1
    else if (this.lengths[slot] === this.cap) return
    else this.next[this.tails[slot]!] = rank + 1
    this.tails[slot] = rank
    this.lengths[slot]!++
  }

  /** The first rank that shares the words of the key at `keys[at]`, or -1. */
  first(keys: Uint32Array, at: number): number {
    return this.heads[this.slotOf(keys, at)]! - 1
  }

  /** The rank after `rank` in its chain, or -1. */
  after(rank: number): number {
    return this.next[rank]! - 1
  }

  private slotOf(keys: Uint32Array, at: number): number {
    const { heads, from, to } = this
    const domain = at + KEY_WORDS - 1
    let hash = keys[domain]! | 0
    for (let word = at + from; word < at + to; word++) {
      hash = Math.imul(hash ^ keys[word]! ^ (hash >>> 15), 0x85ebca6b)
    }
    const mask = heads.length - 1
    let slot = (hash ^ (hash >>> 16)) & mask
    for (; heads[slot] !== 0; slot = (slot + 1) & mask) {
      if (this.shares((heads[slot]! - 1) * KEY_WORDS, keys, at)) break
    }
    return slot
  }

  private shares(own: number, keys: Uint32Array, at: number): boolean {
    const mine = this.keys
    if (mine[own + KEY_WORDS - 1] !== keys[at + KEY_WORDS - 1]) return false
    for (let word = this.from; word < this.to; word++) {
      if (mine[own + word] !== keys[at + word]) return false
    }
    return true
  }
}
