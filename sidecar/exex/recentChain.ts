import type { Hash } from 'viem'
import type { BlockRef } from '../notification/types.ts'

/** Two days of mainnet. */
const DEFAULT_LIMIT = 16_384
const UNDONE_LIMIT = 4096

/**
 * The chain as one session has carried it: consecutive references from the ancestor, or from what is kept of it, to the
 * tip; and what was undone of late.
 */
export class RecentChain {
  readonly #limit: number
  #refs: BlockRef[]
  readonly #undone = new Set<Hash>()

  constructor(ancestor: BlockRef, limit: number = DEFAULT_LIMIT) {
    this.#refs = [ancestor]
    this.#limit = limit
  }

  get tip(): BlockRef {
    return this.#refs.at(-1)!
  }
  get oldest(): BlockRef {
    return this.#refs[0]!
  }

  /** `carried` and still on the chain, `undone` since, `below` everything kept, or `unknown`. */
  find(ref: BlockRef): 'carried' | 'undone' | 'below' | 'unknown' {
    if (this.#refs[Number(ref.number - this.oldest.number)]?.hash === ref.hash) return 'carried'
    if (this.#undone.has(ref.hash)) return 'undone'
    return ref.number < this.oldest.number ? 'below' : 'unknown'
  }

  /** Newest first. */
  *newestFirst(): Iterable<BlockRef> {
    for (let i = this.#refs.length - 1; i >= 0; i--) yield this.#refs[i]!
  }

  /** What lies above a block of this chain, oldest first. */
  above(ref: BlockRef): readonly BlockRef[] {
    return this.#refs.slice(Number(ref.number - this.oldest.number) + 1)
  }

  /**
   * `tip` becomes the tip: what lies above it is undone, and so is `also`, which may be from before this session. A tip
   * below everything kept begins the chain anew.
   */
  unwindTo(tip: BlockRef, also: readonly BlockRef[] = []): void {
    const keep = Number(tip.number - this.oldest.number) + 1
    for (const { hash } of also) this.#undone.add(hash)
    for (const { hash } of this.#refs.slice(Math.max(keep, 0))) this.#undone.add(hash)
    this.#refs = keep > 0 ? this.#refs.slice(0, keep) : [tip]
    for (const hash of this.#undone) {
      if (this.#undone.size <= UNDONE_LIMIT) break
      this.#undone.delete(hash)
    }
  }

  push(ref: BlockRef): void {
    this.#undone.delete(ref.hash)
    this.#refs.push(ref)
    if (this.#refs.length > 2 * this.#limit) this.#refs = this.#refs.slice(-this.#limit)
  }
}
