import type { Hash } from 'viem'
import type { BlockRef } from '../../notification/types.ts'
import { withoutLogs } from '../blockCodec.ts'
import type { Profile } from '../frames.ts'
import type { EncodedBlock, SourceEvent, SourceHeads } from './types.ts'

/** One step of the chain as the source told it: undo these (oldest first), then apply the block, if there is one. */
export type RingStep = {
  readonly undo: readonly BlockRef[]
  readonly block: EncodedBlock | undefined
  /** The tip once the step is done. */
  readonly tip: BlockRef
  /** Unix milliseconds when the source had it. */
  readonly nodeTimeMs: number
  readonly finality: Finality
}

/**
 * What was safe and final at some moment of the chain. It is told with the chain as it was then: a later one beside an
 * earlier chain would be undone by what lies between them, where the chain left a branch and came back to it.
 */
export type Finality = Pick<SourceHeads, 'safe' | 'finalized'>

/**
 * The chain's latest steps, bounded in blocks and bytes, shared by all sessions. A session holds a position, an absolute
 * index that only grows; one below `start` has fallen out, and continues on the cold path.
 */
export class LiveRing {
  readonly #limits: { readonly ringBlocks: number; readonly ringBytes: number }
  #steps: (RingStep | undefined)[] = []
  /** Steps are dropped by moving this, and compacted now and then: no shifting at every block. */
  #dropped = 0
  #start = 0
  /** Where the chain stood at a tip for the last time: the position that follows. */
  readonly #positionAfter = new Map<Hash, number>()
  readonly #lean = new WeakMap<EncodedBlock, EncodedBlock>()
  #tip: BlockRef
  #bytes = 0
  #blocks = 0

  constructor(tip: BlockRef, limits: { readonly ringBlocks: number; readonly ringBytes: number }) {
    this.#limits = limits
    this.#tip = tip
    this.#positionAfter.set(tip.hash, 0)
  }

  get start(): number {
    return this.#start
  }
  get end(): number {
    return this.#start + this.#steps.length - this.#dropped
  }
  get tip(): BlockRef {
    return this.#tip
  }
  get blocks(): number {
    return this.#blocks
  }
  get bytes(): number {
    return this.#bytes
  }

  /**
   * Takes what the source says next. Returns false when it does not follow what came before: the ring then starts anew
   * at this event, and every session finds its place again by hash.
   */
  push(event: SourceEvent): boolean {
    const follows =
      event.undo.length === 0
        ? event.parent.hash === this.#tip.hash
        : event.undo.at(-1)!.hash === this.#tip.hash
    if (!follows) this.#restart(event.parent)
    let undo = follows ? event.undo : []
    const { nodeTimeMs, safe, finalized } = event
    const finality = { safe, finalized }
    if (undo.length > 0 && event.blocks.length === 0) {
      this.#append({ undo, block: undefined, tip: event.parent, nodeTimeMs, finality })
    }
    for (const block of event.blocks) {
      this.#append({ undo, block, tip: block.ref, nodeTimeMs, finality })
      undo = []
    }
    this.#trim()
    return follows
  }

  at(position: number): RingStep | undefined {
    return this.#steps[position - this.#start + this.#dropped]
  }

  /** The position from which a consumer whose tip this is continues; undefined when the ring does not reach back to it. */
  positionAfter(tip: Hash): number | undefined {
    return this.#positionAfter.get(tip)
  }

  /** Whether a step still held takes this block back; of those from a position on, when one is given. */
  undoes(hash: Hash, from: number = this.#start): boolean {
    for (let step = this.at(from); step !== undefined; step = this.at(++from))
      if (step.undo.some((ref) => ref.hash === hash)) return true
    return false
  }

  /** The block as a profile wants it, made once for all consumers of that profile. */
  forProfile(block: EncodedBlock, profile: Profile): EncodedBlock {
    if (profile === 'receipts') return block
    const known = this.#lean.get(block)
    if (known !== undefined) return known
    const lean = withoutLogs(block)
    this.#lean.set(block, lean)
    return lean
  }

  #append(step: RingStep): void {
    this.#steps.push(step)
    this.#tip = step.tip
    // Deleted first, so that the map stays in ascending order of position.
    this.#positionAfter.delete(step.tip.hash)
    this.#positionAfter.set(step.tip.hash, this.end)
    if (step.block !== undefined) {
      this.#blocks++
      this.#bytes += step.block.bytes.length
    }
  }

  #trim(): void {
    while (this.#blocks > this.#limits.ringBlocks || this.#bytes > this.#limits.ringBytes) this.#drop()
    if (this.#dropped > 1024 && this.#dropped * 2 > this.#steps.length) {
      this.#steps = this.#steps.slice(this.#dropped)
      this.#dropped = 0
    }
  }

  #drop(): void {
    const step = this.#steps[this.#dropped]
    if (step === undefined) return
    this.#steps[this.#dropped] = undefined
    this.#dropped++
    this.#start++
    if (step.block !== undefined) {
      this.#blocks--
      this.#bytes -= step.block.bytes.length
    }
    // The tip after the dropped step is where the ring now begins; what lies before that can no longer be continued.
    this.#forget(this.#start)
  }

  /** Removes the tip that led to a position now before the start. */
  #forget(start: number): void {
    for (const [hash, position] of this.#positionAfter) {
      if (position >= start) break
      this.#positionAfter.delete(hash)
    }
  }

  #restart(tip: BlockRef): void {
    // Positions never repeat: a session that held one finds it below `start`.
    this.#start = this.end + 1
    this.#steps = []
    this.#dropped = 0
    this.#blocks = 0
    this.#bytes = 0
    this.#positionAfter.clear()
    this.#tip = tip
    this.#positionAfter.set(tip.hash, this.#start)
  }
}
