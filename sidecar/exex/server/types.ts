import type { Hash } from 'viem'
import type { Block, BlockRef } from '../../notification/types.ts'
import type { ExExError } from '../errors.ts'

/** A block as a server holds it: encoded once (message `exex.v1.Block`), shared by every consumer. */
export type EncodedBlock = {
  readonly ref: BlockRef
  readonly parent: BlockRef
  /** The encoding, with logs where the source has them. */
  readonly bytes: Uint8Array
  /** CRC-32 (IEEE) of `bytes`. */
  readonly crc32: number
}

/** What a source tells the server about its chain, in order. `undo` is oldest first; `blocks` oldest first. */
export type SourceEvent = {
  readonly undo: readonly BlockRef[]
  readonly blocks: readonly EncodedBlock[]
  /** Parent of the first block; the new tip when there is none. */
  readonly parent: BlockRef
  readonly head: BlockRef
  readonly safe: BlockRef | undefined
  readonly finalized: BlockRef | undefined
  /** Unix milliseconds when the source had it from the node. */
  readonly nodeTimeMs: number
}

export type SourceHeads = {
  readonly head: BlockRef
  readonly safe: BlockRef | undefined
  readonly finalized: BlockRef | undefined
  /** The oldest block the cold path can read. */
  readonly oldestBlock: bigint
  /** The node itself is behind its network. */
  readonly syncing: boolean
}

/**
 * Where a server's chain comes from: a JSON-RPC node, the scripted feed. The server core drains `subscribe` at once,
 * keeps the live ring, and reads what fell out of it through `readBlocks`.
 */
export interface ChainSource {
  readonly chainId: bigint
  readonly genesisHash: Hash
  /** Whether blocks carry logs (profile RECEIPTS). */
  readonly hasLogs: boolean
  heads(): SourceHeads
  /** The canonical block at a height as the source sees it now; undefined above the head or below `oldestBlock`. */
  canonicalRef(number: bigint): Promise<BlockRef | undefined>
  /** Canonical blocks `from` to `to`, both included, oldest first. Throws `HistoryPrunedError` below `oldestBlock`. */
  readBlocks(from: bigint, to: bigint): AsyncIterable<EncodedBlock>
  /** Live events from now on, in order. Returns the unsubscribe function. */
  subscribe(listener: (event: SourceEvent) => void): () => void
  /** What the node was told: min(durable of all durable consumers, finalized). A source without a pruner may ignore it. */
  finishedHeight(height: BlockRef): void
  /** undefined: healthy; else why not, in words. */
  problem(): string | undefined
  /** Set when the node's chain left what was told by more than can be taken back: every consumer is told to resync. */
  lost?(): ExExError | undefined
  close(): Promise<void>
}

/** Encodes and decodes blocks; see `sidecar/exex/blockCodec.ts`. */
export type EncodeBlock = (block: Block) => EncodedBlock
