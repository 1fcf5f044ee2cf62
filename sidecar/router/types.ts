import type { Block, BlockRef } from '../notification/types.ts'
import type { StateWrite } from '../notification/stateWrite.ts'

/** Where a transaction goes. The order is the stored code. */
export const routes = ['executeOnSvm', 'executeOnEvm', 'skip'] as const
export type Route = (typeof routes)[number]

/** What the router knows of an envelope; the SVM stage's parser provides it, so that stages do not know each other. */
export type EnvelopeFacts = {
  readonly kind: 'transactions' | 'deposit' | 'rejected'
  /** Why nothing of it can run; undefined when at least one item can. */
  readonly rejected: string | undefined
  /** Last 20 bytes of the first program called and the first 4 bytes of its instruction data: its learning pattern. */
  readonly pattern: Uint8Array
  /** 32 bytes each: every program called. */
  readonly programs: readonly Uint8Array[]
  readonly payloadBytes: number
  readonly items: number
}

/** What became of the block's transactions, for the learner. */
export type ItemOutcome = {
  readonly transactionIndex: number
  readonly status: 'executed' | 'failed' | 'rejected' | 'deposited'
  readonly computeUnits: number
}

/** One decision in full, as shown to people. */
export type Decision = {
  readonly block: BlockRef
  readonly transactionHash: `0x${string}`
  readonly transactionIndex: number
  readonly route: Route
  /** 0 to 1. */
  readonly confidence: number
  /** The parts of the score by name, each 0 to 1. */
  readonly parts: Readonly<Record<string, number>>
  /** Ids (hex of the 24-byte pattern) of the context rows used, nearest first. */
  readonly context: readonly string[]
  readonly contextBoundary: bigint | undefined
  readonly modelVersion: string
  /** One sentence. */
  readonly reason: string
}

/** The decisions of one block, columnar; `blob` is what is stored and hashed, `readDecisions` opens it. */
export type BlockDecisions = {
  readonly blob: Uint8Array
  /** One byte a transaction: index into `routes`. */
  readonly routeCodes: Uint8Array
  readonly counts: Readonly<Record<Route, number>>
  /** Indexes of the envelopes to run, ascending. */
  readonly admitted: readonly number[]
  readonly cacheHits: number
  readonly cacheMisses: number
}

/** A row of the vector store's `patterns`: the learner's view of a pattern as of a boundary block. */
export type PatternRow = {
  /** Hex of the 24-byte pattern, no prefix. */
  readonly id: string
  readonly svm: boolean
  readonly boundary: bigint
  /** Decayed counts. */
  readonly evmSucceeded: number
  readonly evmFailed: number
  readonly svmExecuted: number
  readonly svmFailed: number
  /** Decayed means. */
  readonly computeUnits: number
  readonly gasLimit: number
  readonly calldataBytes: number
  readonly valueLog2: number
}

/** The router's door to the vector store: everything it may ask of it. */
export interface ContextSource {
  /**
   * The rows of `patterns` exactly as of `boundary`. Resolves once the outbox has passed that block; rejects when the
   * store is down.
   */
  patternsAt(boundary: bigint): Promise<readonly PatternRow[]>
}

/** What the router takes back at start. */
export type RouterState = {
  readonly rows: (
    table: 'pattern' | 'outcome' | 'context' | 'projected',
  ) => Iterable<{ readonly key: Uint8Array; readonly value: Uint8Array }>
  /** The durable tip, or undefined when nothing was applied yet. */
  readonly tip: BlockRef | undefined
}

/** What settling a block leaves to be made durable. */
export type Settled = {
  /** Tables `pattern`, `outcome`, `context`, `projected`, each key at most once. */
  readonly writes: readonly StateWrite[]
  /** At a boundary block: the rows to write to `patterns`. */
  readonly patterns: readonly PatternRow[] | undefined
}

/** The routing stage. One call at a time; blocks in chain order; `prepare`, `decide`, `settle` for each. */
export interface Router {
  readonly modelVersion: string
  /** Waits for the block's context where its epoch is not loaded; undefined (the usual case) when there is nothing to wait for. */
  prepare(block: Block): Promise<void> | undefined
  decide(block: Block, envelopes: ReadonlyMap<number, EnvelopeFacts>): BlockDecisions
  settle(block: Block, outcomes: readonly ItemOutcome[]): Settled
  undo(undone: readonly { readonly block: BlockRef; readonly writes: readonly StateWrite[] }[], tip: BlockRef): void
}
