import type { StateTable } from '../notification/stateWrite.ts'
import type { BlockRef } from '../notification/types.ts'
import type { Identity } from './identity.ts'
import type { ChainTotals, Effects, OutboxEntry, Progress, StoredState, UndoneBlock } from './types.ts'

/** A block's decisions as stored. */
export type StoredDecisions = {
  readonly block: BlockRef
  readonly canonical: boolean
  /** Unix seconds. */
  readonly timestamp: bigint
  /** The router's blob. */
  readonly decisions: Uint8Array
  /** The pipeline's encoding of the SVM results. */
  readonly results: Uint8Array
  /** 32 bytes each, in block order. */
  readonly transactionHashes: Uint8Array
}

/** Where a transaction is: `index` is its place in the block. */
export type FoundTransaction = {
  readonly block: BlockRef
  readonly index: number
  readonly canonical: boolean
}

/** The value of an account as of a durable block; undefined: there is no such account. */
export type StoredAccount = { readonly value: Uint8Array | undefined; readonly block: BlockRef | undefined }

/**
 * Durable state that follows the chain. `stage` takes effects in chain order, `commit` makes everything staged durable in
 * one transaction. Everything read is durable; only `undoneBlocks`, `totalsAt` and `stage` look at what is staged.
 *
 * Any method may throw a `StoreError`; it then has changed nothing, and staged effects are kept.
 */
export interface Store extends StoredState {
  /** What the data directory is bound to. */
  readonly identity: Identity
  /**
   * Takes effects in. Their bytes must stay as they are until the next successful `commit`.
   * @throws UndoTooDeepError beyond the kept undo or below finalized; EffectsOutOfOrderError for blocks that do not
   *   continue the staged chain
   */
  stage(effects: Effects): void
  /**
   * Makes everything staged durable, or nothing of it: after a throw (DiskFullError) it may be called again.
   * @returns the durable tip; undefined when nothing was staged, or no block is left
   */
  commit(): BlockRef | undefined
  /**
   * Pre-images of the newest blocks of the staged chain, for the stages' own undo; `after` is left undefined.
   * @param refs newest first
   * @throws as `stage` does for the same `undo`
   */
  undoneBlocks(refs: readonly BlockRef[]): UndoneBlock[]
  /** Totals at a block of the staged chain; zeros where it does not hold the block (below its first one). */
  totalsAt(block: BlockRef): ChainTotals
  progress(): Progress
  /** What may be acknowledged now; see `finishedHeight`. */
  finishedHeight(): BlockRef | undefined
  /** The durable canonical block at a number. */
  canonicalBlock(number: bigint): BlockRef | undefined
  /** The parent of a durable canonical block. */
  parentOf(number: bigint): BlockRef | undefined
  /** Durable canonical blocks, newest first: dense near the tip, then in doubling gaps down to finalized. */
  locator(): BlockRef[]
  account(pubkey: Uint8Array): StoredAccount
  value(table: StateTable, key: Uint8Array): Uint8Array | undefined
  /** Every place a transaction hash is kept at, canonical first. */
  findTransaction(hash: Uint8Array): FoundTransaction[]
  decisionsOf(block: BlockRef): StoredDecisions | undefined
  /** Canonical, newest first. */
  latestDecisions(limit: number): StoredDecisions[]
  /** Undone blocks whose decisions are kept, newest first. */
  latestOrphans(limit: number): BlockRef[]
  /** Oldest entries first, whole ones, until they hold `limitRows` rows; at least one when there is any. */
  readOutbox(limitRows: number): OutboxEntry[]
  /** Deletes the entries up to a sequence: the vector store has them. */
  deleteOutbox(upToSequence: number): void
  /** Rows of all durable entries not yet deleted. */
  outboxRows(): number
  /** The highest durable block such that no entry of it or of a block below is left; finality moves do not count. */
  outboxPassed(): bigint
  /** Whether entries are left that must reach the vector store before its `patterns` are those of a boundary. */
  patternsPending(boundary: bigint): boolean
  /** Folds, checkpoints, marks the end as clean, and lets the directory go. What is staged is dropped. */
  close(): void
}
