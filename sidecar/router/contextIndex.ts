import { type ContextSnapshot, readSnapshot, sizesOf } from './contextSnapshot.ts'
import { KEY_WORDS } from './patternKey.ts'
import { RowChains } from './rowChains.ts'
import { hammingDistance, SKETCH_WORDS, writeSketch } from './sketch.ts'

/** Rows looked at by contract, and again by selector: those with most evidence. */
export const POSTINGS = 32
/** Rows a search finds at most: the pattern's own, and two chains. */
export const MAX_NEIGHBOURS = 1 + 2 * POSTINGS
/** Outcomes of one neighbour that count, at most: one busy row is not a neighbourhood. */
const NEIGHBOUR_CAP = 32
/** Distance of sketches that have nothing in common, on average: half of their bits. */
const UNRELATED = 64
/** Distance and rank in one integer: rows of an epoch stay below 2^20. */
const RANKS = 1 << 20
export const MAX_CONTEXT_ROWS = RANKS

/** What a search found; arrays are written from the offset the caller gives. */
export type SearchResult = {
  /** Ranks, nearest first. */
  readonly ranks: Int32Array
  /** The first rank is the pattern's own row. */
  own: boolean
  /** Weighted outcomes of the neighbours, the pattern's own row left out. */
  succeeded: number
  outcomes: number
}

/**
 * Exact nearest neighbours among an epoch's rows: a pure function of the snapshot and the pattern's key, whatever was
 * searched before. Candidates share the contract (or program) or the selector (or discriminator), and the domain.
 */
export class ContextIndex {
  readonly snapshot: ContextSnapshot
  private readonly sketches: Int32Array
  private readonly exact: RowChains
  private readonly byContract: RowChains
  private readonly bySelector: RowChains
  private readonly query = new Int32Array(SKETCH_WORDS)
  /** The nearest so far, distance and rank packed, nearest first. */
  private readonly candidates = new Int32Array(2 * POSTINGS)

  constructor(stored: Uint8Array) {
    const snapshot = readSnapshot(stored)
    const { count, keys } = snapshot
    this.snapshot = snapshot
    this.sketches = new Int32Array(count * SKETCH_WORDS)
    this.exact = new RowChains(keys, count, { from: 0, to: 6, cap: 1 })
    this.byContract = new RowChains(keys, count, { from: 0, to: 5, cap: POSTINGS })
    this.bySelector = new RowChains(keys, count, { from: 5, to: 6, cap: POSTINGS })
    for (let rank = 0; rank < count; rank++) {
      const source = { keys, at: rank * KEY_WORDS, ...sizesOf(snapshot, rank) }
      writeSketch(source, this.sketches, rank * SKETCH_WORDS)
      this.exact.append(rank)
      this.byContract.append(rank)
      this.bySelector.append(rank)
    }
  }

  /**
   * The `limit` nearest rows of the pattern at `keys[at]`, written to `result.ranks` from `offset`; returns how many. A
   * pattern that has a row is its own nearest. Equal distances go by rank: evidence, then id.
   */
  search(keys: Uint32Array, at: number, limit: number, result: SearchResult, offset: number): number {
    result.succeeded = 0
    result.outcomes = 0
    result.own = false
    if (this.snapshot.count === 0) return 0
    const { ranks } = result
    const { sketches, candidates } = this
    const own = this.exact.first(keys, at)
    let query = sketches
    let queryAt = own * SKETCH_WORDS
    let found = 0
    if (own >= 0) {
      result.own = true
      ranks[offset + found++] = own
    } else {
      query = this.query
      queryAt = 0
      writeSketch({ keys, at, gasQuarters: -1, calldataQuarters: -1, valueBits: -1 }, query, 0)
    }
    // A row with the same contract and the same selector is the pattern's own: the two chains share no other.
    const room = limit - found
    let n = 0
    for (const chain of [this.byContract, this.bySelector]) {
      for (let rank = chain.first(keys, at); rank >= 0; rank = chain.after(rank)) {
        if (rank === own) continue
        const distance = hammingDistance(query, queryAt, sketches, rank * SKETCH_WORDS)
        const packed = distance * RANKS + rank
        let i = n
        if (n < room) n++
        else if (n > 0 && packed < candidates[n - 1]!) i = n - 1
        else continue
        while (i > 0 && candidates[i - 1]! > packed) {
          candidates[i] = candidates[i - 1]!
          i--
        }
        candidates[i] = packed
      }
    }
    const { counts } = this.snapshot
    for (let i = 0; i < n; i++) {
      const rank = candidates[i]! % RANKS
      ranks[offset + found++] = rank
      const distance = (candidates[i]! - rank) / RANKS
      if (distance >= UNRELATED) continue
      const succeeded = counts[rank * 2]!
      const outcomes = succeeded + counts[rank * 2 + 1]!
      const weight = (1 - distance / UNRELATED) * (outcomes > NEIGHBOUR_CAP ? NEIGHBOUR_CAP / outcomes : 1)
      result.succeeded += weight * succeeded
      result.outcomes += weight * outcomes
    }
    return found
  }
}
