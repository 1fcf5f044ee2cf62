import { setTimeout as delay } from 'node:timers/promises'
import type { Block, BlockRef, ChainSource, EncodedBlock, SourceEvent } from '#exex/server'
import type { ReplayChain, ReplayEvent } from './createReplayChain.ts'

export type ReplaySourceOptions = {
  readonly chain: ReplayChain
  readonly encodeBlock: (block: Block) => EncodedBlock
  /** Height of the head to begin with, for a consumer that has that much already. Default 0: the genesis block. */
  readonly startAt?: bigint
  /** The finalized block is this far behind the canonical head. Default 64, or more where reorgs are deeper. */
  readonly finalityDepth?: bigint
  /** How far the head runs ahead of what the slowest consumer has processed. Default 256 blocks, 64 MiB. */
  readonly windowBlocks?: number
  readonly windowBytes?: number
  /** Blocks and bytes of one event at most. Default 32 and 512 KiB. */
  readonly eventBlocks?: number
  readonly eventBytes?: number
  /** Generate and encode the whole chain beforehand and keep it in memory, for who measures the consumer. Default false. */
  readonly prepared?: boolean
}

/** A replay event with its blocks as the wire has them. */
type EncodedEvent = Omit<ReplayEvent, 'blocks'> & { readonly blocks: readonly EncodedBlock[] }

export type ReplaySource = ChainSource & {
  /**
   * Lets the chain grow to its end, as fast as consumers follow and no faster: nothing is emitted while `processed`
   * gives undefined. Resolves with the last block, or where `signal` ended it. Throws what reading the recording throws.
   */
  run(pace: { readonly processed: () => bigint | undefined; readonly signal: AbortSignal }): Promise<BlockRef>
}

/** How often a full window is looked at again: a window is worth many such waits. */
const lookAgainMs = 1

/**
 * A replay chain as the source of a server. Blocks are generated and encoded when the window has room for them; what
 * is older than the window is generated again when somebody reads it.
 */
export async function createReplaySource(options: ReplaySourceOptions): Promise<ReplaySource> {
  const { chain, encodeBlock } = options
  const { windowBlocks = 256, windowBytes = 64 << 20, eventBlocks = 32, eventBytes = 512 << 10 } = options
  const finalityDepth = options.finalityDepth ?? BigInt(Math.max(64, chain.reorgDepth + 2))
  const listeners = new Set<(event: SourceEvent) => void>()
  /** Canonical blocks at the tip, oldest first. */
  const window = new Map<bigint, EncodedBlock>()
  /** Bytes of all canonical blocks emitted, and as they were after each block of the window. */
  let emitted = 0
  const emittedAt = new Map<bigint, number>()
  /** The fork that is committed now, oldest first. */
  let fork: EncodedBlock[] = []
  let held = 0
  let canonical = await refAt(chain, options.startAt ?? 0n)
  const first = canonical
  let failure: string | undefined

  async function* encodedEvents(): AsyncGenerator<EncodedEvent> {
    for await (const event of chain.events(first.number))
      yield { ...event, blocks: event.blocks.map((block) => encodeBlock(block)) }
  }
  const prepared = options.prepared === true ? await Array.fromAsync(encodedEvents()) : undefined

  const head = (): BlockRef => fork.at(-1)?.ref ?? canonical
  const finalized = (): BlockRef => {
    const number = canonical.number - finalityDepth
    return number <= 0n ? chain.genesis : chain.ref(number)!
  }
  /** The oldest blocks leave by size and by count; what is left is what consumers still wait for. */
  const keep = (block: EncodedBlock) => {
    window.set(block.ref.number, block)
    held += block.bytes.length
    emitted += block.bytes.length
    emittedAt.set(block.ref.number, emitted)
    for (const [number, oldest] of window) {
      if (window.size <= windowBlocks && held <= windowBytes) break
      window.delete(number)
      emittedAt.delete(number)
      held -= oldest.bytes.length
    }
  }
  const emit = (
    undo: readonly BlockRef[],
    blocks: readonly EncodedBlock[],
    parent: BlockRef,
    isFork: boolean,
  ) => {
    if (isFork) fork = [...fork, ...blocks]
    else {
      fork = []
      for (const block of blocks) keep(block)
      canonical = blocks.at(-1)!.ref
    }
    const last = finalized()
    const event = { undo, blocks, parent, head: head(), safe: last, finalized: last, nodeTimeMs: Date.now() }
    for (const listener of listeners) listener(event)
  }

  async function* readBlocks(from: bigint, to: bigint): AsyncGenerator<EncodedBlock> {
    // As it is now: the fork may be gone by the time it is reached.
    const forkNow = fork
    const canonicalTo = forkNow.length === 0 ? to : (forkNow[0]?.parent.number ?? to)
    let next = from < 1n ? 1n : from
    const lastCanonical = to < canonicalTo ? to : canonicalTo
    if (next <= lastCanonical && !window.has(next)) {
      for await (const block of chain.blocks(next)) {
        yield encodeBlock(block)
        next = block.ref.number + 1n
        if (next > lastCanonical || window.has(next)) break
      }
    }
    for (; next <= lastCanonical; next++) {
      const block = window.get(next)
      if (block === undefined) {
        // The window moved on past a slow reader.
        yield* readBlocks(next, to)
        return
      }
      yield block
    }
    for (const block of forkNow) if (block.ref.number >= next && block.ref.number <= to) yield block
  }

  return {
    chainId: 1n,
    genesisHash: chain.genesis.hash,
    hasLogs: true,
    heads: () => ({
      head: head(),
      safe: finalized(),
      finalized: finalized(),
      oldestBlock: 1n,
      syncing: false,
    }),
    canonicalRef: async (number) => {
      const forked = fork.find((block) => block.ref.number === number)
      if (forked !== undefined) return forked.ref
      return number > canonical.number ? undefined : chain.ref(number)
    },
    readBlocks,
    subscribe: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    finishedHeight: () => {},
    problem: () => failure,
    close: async () => listeners.clear(),
    run: async ({ processed, signal }) => {
      const hasRoom = (): boolean => {
        let done = processed()
        if (done === undefined) return false
        // Who has not said anything yet stands where this source began; a fork's height says no more than its base's.
        if (done < first.number) done = first.number
        if (done > canonical.number) done = canonical.number
        const waiting = emitted - (emittedAt.get(done) ?? emitted - held)
        if (waiting > windowBytes / 2) return false
        return head().number - done < BigInt(windowBlocks)
      }
      let pending: EncodedBlock[] = []
      let pendingBytes = 0
      const emitWhenRoom = async (...change: Parameters<typeof emit>) => {
        while (!hasRoom() && !signal.aborted) await delay(lookAgainMs)
        if (!signal.aborted) emit(...change)
        // Between events sockets get their turn.
        await new Promise((resolve) => setImmediate(resolve))
      }
      const flush = async () => {
        const blocks = pending
        pending = []
        pendingBytes = 0
        if (blocks.length > 0) await emitWhenRoom([], blocks, blocks[0]!.parent, false)
      }
      try {
        for await (const event of prepared ?? encodedEvents()) {
          if (signal.aborted) break
          if (event.undo.length > 0 || event.fork) {
            await flush()
            await emitWhenRoom(event.undo, event.blocks, event.parent, event.fork)
            continue
          }
          for (const block of event.blocks) {
            pending.push(block)
            pendingBytes += block.bytes.length
          }
          if (pending.length >= eventBlocks || pendingBytes >= eventBytes) await flush()
        }
        await flush()
      } catch (error) {
        failure = error instanceof Error ? error.message : String(error)
        throw error
      }
      return canonical
    },
  }
}

/** The canonical block at a height, generated up to there; the last one where the chain is shorter. */
async function refAt(chain: ReplayChain, number: bigint): Promise<BlockRef> {
  let ref = chain.genesis
  if (number === 0n) return ref
  for await (const block of chain.blocks(1n)) {
    ref = block.ref
    if (ref.number >= number) break
  }
  return ref
}
