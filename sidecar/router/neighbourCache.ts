import type { ContextIndex, SearchResult } from './contextIndex.ts'
import { KEY_WORDS } from './patternKey.ts'
import type { PatternTable } from './patternTable.ts'

/**
 * What the searches of this epoch found, by table id: a pattern is searched once an epoch. Only a cache: a search is a
 * pure function of the epoch's snapshot and the pattern's key, so forgetting it at any time changes nothing.
 */
export class NeighbourCache {
  /** Neighbours kept a pattern. */
  readonly width: number
  /** Weighted outcomes of the neighbours, by table id. */
  succeeded = new Float64Array(0)
  outcomes = new Float64Array(0)
  /** Ranks: `width` a pattern, of which the first `lengths[id]` are used. */
  ranks = new Int32Array(0)
  lengths = new Uint8Array(0)
  /** 1 where the first of them is the pattern's own row. */
  own = new Uint8Array(0)
  private epochs = new Int32Array(0)
  private epoch = 0
  private index: ContextIndex | undefined
  private result: SearchResult = { ranks: this.ranks, own: false, succeeded: 0, outcomes: 0 }

  constructor(width: number) {
    this.width = width
  }

  /** Makes `index` the one in use; forgets everything found in another. */
  use(index: ContextIndex): void {
    if (this.index === index) return
    this.index = index
    this.epoch++
  }

  /** Forgets everything: ids have new meanings. */
  clear(): void {
    this.epoch++
  }

  /** Makes sure that the first `count` of `ids` are found; returns how many had to be searched. */
  lookUp(ids: Int32Array, count: number, table: PatternTable): number {
    this.reserve(table.count)
    const { epochs, epoch, index, result, width } = this
    let searched = 0
    for (let i = 0; i < count; i++) {
      const id = ids[i]!
      if (epochs[id] === epoch) continue
      epochs[id] = epoch
      searched++
      this.lengths[id] = index!.search(table.keys, id * KEY_WORDS, width, result, id * width)
      this.own[id] = result.own ? 1 : 0
      this.succeeded[id] = result.succeeded
      this.outcomes[id] = result.outcomes
    }
    return searched
  }

  private reserve(ids: number): void {
    if (this.epochs.length >= ids) return
    const size = Math.max(4096, ids * 2)
    this.succeeded = new Float64Array(size)
    this.outcomes = new Float64Array(size)
    this.ranks = new Int32Array(size * this.width)
    this.lengths = new Uint8Array(size)
    this.own = new Uint8Array(size)
    this.epochs = new Int32Array(size)
    this.epoch = 1
    this.result = { ranks: this.ranks, own: false, succeeded: 0, outcomes: 0 }
  }
}
