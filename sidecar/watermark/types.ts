import type { StateTable, StateWrite } from '../notification/stateWrite.ts'
import type { BlockRef } from '../notification/types.ts'

/** Running totals of the canonical chain up to and including a block: an undone block takes its own share with it. */
export type ChainTotals = {
  readonly blocks: number
  readonly transactions: number
  readonly executeOnSvm: number
  readonly executeOnEvm: number
  readonly skip: number
  readonly executed: number
  readonly failed: number
  readonly rejected: number
  readonly deposits: number
  readonly accounts: number
}

/** One entry for the vector store, written in block order and applied at least once. `payload` is the pipeline's to define. */
export type OutboxEntry = {
  readonly sequence: number
  readonly block: BlockRef
  readonly kind: 'transactions' | 'patterns' | 'findings' | 'undo' | 'finalized'
  readonly payload: Uint8Array
  readonly rows: number
}

/** All effects of one block: they become durable together or not at all. */
export type BlockEffects = {
  readonly block: BlockRef
  readonly parent: BlockRef
  /** Unix seconds. */
  readonly timestamp: bigint
  readonly writes: readonly StateWrite[]
  /** 64 bytes each. */
  readonly signatures: readonly Uint8Array[]
  /** The router's blob, and the transactions' hashes (32 bytes each) for look-up. */
  readonly decisions: Uint8Array
  readonly transactionHashes: Uint8Array
  /** The SVM results, encoded by the pipeline, for `/decisions/:hash`. */
  readonly results: Uint8Array
  readonly latticeHash: Uint8Array
  /** Totals up to and including this block. */
  readonly totals: ChainTotals
  readonly outbox: readonly Omit<OutboxEntry, 'sequence'>[]
}

/** A chain change to be made durable as a whole: undo newest first, then apply oldest first. */
export type Effects = {
  readonly undo: readonly BlockRef[]
  /** What the undo itself tells the vector store. */
  readonly undoOutbox: readonly Omit<OutboxEntry, 'sequence'>[]
  readonly apply: readonly BlockEffects[]
  readonly finalized: BlockRef | undefined
}

export type UndoneBlock = { readonly block: BlockRef; readonly writes: readonly StateWrite[] }

export type Progress = {
  readonly durable: BlockRef | undefined
  readonly finalized: BlockRef | undefined
  readonly totals: ChainTotals
  /** Checksum of the accounts lattice hash, 32 bytes. */
  readonly latticeHash: Uint8Array
  /** Running hash over the canonical decisions in chain order, 32 bytes. */
  readonly decisionsHash: Uint8Array
}

/** Reads every stage may make at start. */
export interface StoredState {
  rows(table: StateTable): Iterable<{ readonly key: Uint8Array; readonly value: Uint8Array }>
  /** Canonical blocks, oldest first, at most `limit`. */
  recentBlocks(limit: number): readonly BlockRef[]
  signatures(): Iterable<{ readonly signature: Uint8Array; readonly block: bigint }>
}
