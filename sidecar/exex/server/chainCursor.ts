import type { BlockRef } from '../../notification/types.ts'
import { ExExError } from '../errors.ts'
import type { Origin, Profile } from '../frames.ts'
import { RecentChain } from '../recentChain.ts'
import { isCanonical } from './findAncestor.ts'
import type { Finality, LiveRing } from './liveRing.ts'
import type { ChainSource, EncodedBlock } from './types.ts'

/** What one notification will carry: undo (oldest first), then blocks (oldest first). */
export type Batch = {
  readonly undo: readonly BlockRef[]
  readonly blocks: readonly EncodedBlock[]
  /** Parent of the first block; the new tip when there is none. */
  readonly parent: BlockRef
  readonly origin: Origin
  readonly nodeTimeMs: number
  /** As of the tip it leads to: for live blocks when the source told of them, for others before any of them was read. */
  readonly finality: Finality
}

export type ChainCursorOptions = {
  readonly profile: Profile
  readonly batchBlocks: number
  /** Called when the ring no longer reaches back to where this cursor is. */
  readonly fellBehind: () => void
  readonly now: () => number
}

/**
 * Where one session stands in the chain, and what comes next for it: from the live ring while it keeps up, else from
 * the source's cold path, joining the ring again where a tip's hash is in both.
 */
export class ChainCursor {
  readonly #source: ChainSource
  readonly #ring: LiveRing
  readonly #options: ChainCursorOptions
  /** The chain as sent: what acknowledgements and undo lists may name. */
  readonly sent: RecentChain
  /** As of what was sent. */
  finality: Finality
  #position: number | undefined
  #reader: AsyncIterator<EncodedBlock> | undefined
  /** As it was when the reader began: blocks are read ahead of what is sent, and may be of a branch that is gone by then. */
  #readerFinality: Finality
  /** Read, but did not fit into the last batch. */
  #held: EncodedBlock | undefined

  constructor(source: ChainSource, ring: LiveRing, ancestor: BlockRef, options: ChainCursorOptions) {
    this.#source = source
    this.#ring = ring
    this.#options = options
    this.sent = new RecentChain(ancestor)
    this.finality = finalityOf(source)
    this.#readerFinality = this.finality
  }

  /** The chain's tip as this session was sent it. */
  get tip(): BlockRef {
    return this.sent.tip
  }

  /**
   * The next batch, of at most `maxBytes` unless a single block is larger; undefined when there is nothing to send
   * until the source speaks again. Throws what the source throws, and `ExExError` CHAIN_MOVED when the chain changed
   * below everything this session knows.
   */
  async next(maxBytes: number): Promise<Batch | undefined> {
    if (this.#position !== undefined && this.#position < this.#ring.start) {
      this.#position = undefined
      this.#options.fellBehind()
    }
    this.#position ??= this.#ring.positionAfter(this.tip.hash)
    if (this.#position === undefined) return this.#nextCold(maxBytes)
    await this.close()
    return this.#nextLive(this.#position, maxBytes)
  }

  /** All that the source has told was sent: what it calls final now is final for whom it was sent to. */
  get isCurrent(): boolean {
    return this.#position !== undefined && this.#position === this.#ring.end
  }

  /** Whether the chain took this block back: this session was told, or will be. It may be from before the session. */
  undoes(ref: BlockRef): boolean {
    return this.sent.find(ref) === 'undone' || this.#ring.undoes(ref.hash)
  }

  /** Whether a block that was sent has been taken back since, and this session was not told yet. */
  async willUndo(ref: BlockRef): Promise<boolean> {
    const position = this.#position
    if (position !== undefined && position >= this.#ring.start) return this.#ring.undoes(ref.hash, position)
    return !(await isCanonical(this.#source, ref))
  }

  /** Ends a read of the source that is under way. */
  async close(): Promise<void> {
    const reader = this.#reader
    this.#reader = undefined
    this.#held = undefined
    await reader?.return?.()
  }

  #nextLive(start: number, maxBytes: number): Batch | undefined {
    const first = this.#ring.at(start)
    if (first === undefined) return undefined
    const blocks: EncodedBlock[] = []
    let bytes = 0
    let position = start
    let { finality } = first
    for (let step = this.#ring.at(position); step !== undefined; step = this.#ring.at(position)) {
      // An undo begins a notification of its own; one without blocks is a whole one.
      if (position > start && (step.undo.length > 0 || step.block === undefined)) break
      if (step.block !== undefined) {
        const block = this.#ring.forProfile(step.block, this.#options.profile)
        if (blocks.length > 0 && bytes + block.bytes.length > maxBytes) break
        blocks.push(block)
        bytes += block.bytes.length
      }
      position++
      finality = step.finality
      if (step.block === undefined || blocks.length >= this.#options.batchBlocks) break
    }
    this.#position = position
    const parent = first.block?.parent ?? first.tip
    return this.#take({
      undo: first.undo,
      blocks,
      parent,
      origin: 'live',
      nodeTimeMs: first.nodeTimeMs,
      finality,
    })
  }

  async #nextCold(maxBytes: number): Promise<Batch | undefined> {
    // A few times, as the chain may move between finding the fork and reading on from it; then a new locator is better.
    for (let attempt = 0; attempt < 3; attempt++) {
      const parent = this.#reader === undefined ? await this.#openReader() : this.tip
      const undo = this.sent.above(parent)
      const blocks = await this.#read(parent, maxBytes)
      if (blocks === 'moved') continue
      if (blocks.length === 0 && undo.length === 0) return undefined
      return this.#take({
        undo,
        blocks,
        parent,
        origin: 'catchUp',
        nodeTimeMs: this.#options.now(),
        finality: this.#readerFinality,
      })
    }
    throw new ExExError('CHAIN_MOVED', {
      where: 'catch-up',
      expected: `blocks that follow ${this.tip.number} ${this.tip.hash}`,
      actual: 'others, three times',
      advice: 'Reconnect with a locator.',
    })
  }

  /** Begins to read after the highest sent block that is canonical; returns that block. */
  async #openReader(): Promise<BlockRef> {
    this.#readerFinality = finalityOf(this.#source)
    for (const ref of this.sent.newestFirst()) {
      if (!(await isCanonical(this.#source, ref))) continue
      const from = ref.number + 1n
      const { head } = this.#source.heads()
      if (from <= head.number)
        this.#reader = this.#source.readBlocks(from, head.number)[Symbol.asyncIterator]()
      return ref
    }
    const { number, hash } = this.sent.oldest
    throw new ExExError('CHAIN_MOVED', {
      where: 'catch-up',
      expected: `block ${number} ${hash} on the canonical chain`,
      actual: 'another',
      advice: 'Reconnect with a locator.',
    })
  }

  async #read(parent: BlockRef, maxBytes: number): Promise<EncodedBlock[] | 'moved'> {
    const blocks: EncodedBlock[] = []
    let tip = parent
    let bytes = 0
    while (this.#reader !== undefined && blocks.length < this.#options.batchBlocks) {
      const block = this.#held ?? (await this.#readOne())
      if (block === undefined) break
      this.#held = undefined
      if (block.parent.hash !== tip.hash) {
        await this.close()
        return blocks.length > 0 ? blocks : 'moved'
      }
      if (blocks.length > 0 && bytes + block.bytes.length > maxBytes) {
        this.#held = block
        break
      }
      blocks.push(block)
      bytes += block.bytes.length
      tip = block.ref
    }
    return blocks
  }

  async #readOne(): Promise<EncodedBlock | undefined> {
    try {
      const result = await this.#reader!.next()
      if (result.done !== true) return this.#ring.forProfile(result.value, this.#options.profile)
      this.#reader = undefined
      return undefined
    } catch (error) {
      this.#reader = undefined
      throw error
    }
  }

  #take(batch: Batch): Batch {
    // The source may undo blocks from before this session: the chain then begins anew at the fork.
    if (batch.undo.length > 0) this.sent.unwindTo(batch.parent, batch.undo)
    for (const { ref } of batch.blocks) this.sent.push(ref)
    this.finality = batch.finality
    return batch
  }
}

function finalityOf(source: ChainSource): Finality {
  const { safe, finalized } = source.heads()
  return { safe, finalized }
}
