import type { Logger } from 'pino'
import type { StateWrite } from '../notification/stateWrite.ts'
import type { Block, BlockRef } from '../notification/types.ts'
import type { Judgement } from './judgements.ts'

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
  /** 32 bytes: who pays the fee of the first transaction; without it the sender of the envelope stands in. */
  readonly payer?: Uint8Array
  /** Compute units the first transaction asks for, where it does. */
  readonly computeUnitLimit?: number
  /** Instructions of the first transaction, those that only set its budget left out. */
  readonly instructions?: number
}

/** What became of the block's transactions, for the learner. */
export type ItemOutcome = {
  readonly transactionIndex: number
  readonly status: 'executed' | 'failed' | 'rejected' | 'deposited'
  readonly computeUnits: number
}

/** One decision as the blob holds it. */
export type StoredDecision = {
  readonly transactionIndex: number
  readonly route: Route
  /** Name of the ground it stands on, as in `rules`. */
  readonly rule: string
  /** 0 to 1. */
  readonly confidence: number
  /** The parts of the score by name, each 0 to 1. */
  readonly parts: Readonly<Record<string, number>>
  /** Ids (as in `PatternRow`) of the context rows used, nearest first. */
  readonly context: readonly string[]
  readonly contextBoundary: bigint | undefined
  readonly modelVersion: string
  /** What the model makes of it: of envelopes that it judged. */
  readonly judgement?: Judgement
  /** One sentence. */
  readonly reason: string
}

/** One decision in full, as shown to people. */
export type Decision = StoredDecision & {
  readonly block: BlockRef
  readonly transactionHash: `0x${string}`
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
  /**
   * 50 hex digits, no prefix: contract or program (20 bytes), selector or discriminator (4 bytes), then one byte of
   * domain. Without it an Ethereum call to the last 20 bytes of a program id would be written over that program's row.
   */
  readonly id: string
  readonly svm: boolean
  readonly boundary: bigint
  /** Decayed counts. Exact in 32-bit floats, like the means: a store may keep them as such. */
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
    table: 'pattern' | 'outcome' | 'context' | 'projected' | 'model',
  ) => Iterable<{ readonly key: Uint8Array; readonly value: Uint8Array }>
  /** The durable tip, or undefined when nothing was applied yet. */
  readonly tip: BlockRef | undefined
}

/** What settling a block leaves to be made durable. */
export type Settled = {
  /** Tables `pattern`, `outcome`, `context`, `projected`, `model`, each key at most once. */
  readonly writes: readonly StateWrite[]
  /** At a boundary block: the rows to write to `patterns`. */
  readonly patterns: readonly PatternRow[] | undefined
  /** At a boundary block: ids of rows to delete from `patterns`, because the learner has dropped them. */
  readonly removed: readonly string[] | undefined
}

/** The routing stage. One call at a time; blocks in chain order; `prepare`, `decide`, `settle` for each. */
export interface Router {
  readonly modelVersion: string
  /** Waits for the block's context where its epoch is not loaded; undefined (the usual case) when there is nothing to wait for. */
  prepare(block: Block): Promise<void> | undefined
  decide(block: Block, envelopes: ReadonlyMap<number, EnvelopeFacts>): BlockDecisions
  settle(block: Block, outcomes: readonly ItemOutcome[]): Settled
  undo(
    undone: readonly { readonly block: BlockRef; readonly writes: readonly StateWrite[] }[],
    tip: BlockRef,
  ): void
}

/** What the router may be told. All but `onUnavailable`, `retryMs` and `keptUndo` is part of the model version. */
export type RouterOptions = {
  /**
   * `enhanced`: decayed counts and neighbours, and a model for envelopes. `pattern`: the counts alone, which the model is
   * compared with. `seed`: the byte formula both are.
   */
  readonly scorer: 'enhanced' | 'pattern' | 'seed'
  readonly learn: {
    /** Blocks between an outcome and its use, 1 or more. */
    readonly lag: number
    /** Blocks in which a count loses half of its weight, 1 or more. */
    readonly halfLife: number
    /** Weight of each prior, in outcomes, above 0. */
    readonly priorWeight: number
  }
  readonly context: {
    /** Blocks between a boundary and the first block that uses it, from 1 to `epoch`. */
    readonly lag: number
    /** Blocks between boundaries, 1 or more. */
    readonly epoch: number
    /** Rows projected at a boundary, and rows used of an epoch's table, at most. */
    readonly patterns: number
    /** Rows used for one pattern, 1 to 256; a search finds 65 at most. */
    readonly neighbours: number
    /** With the store down: `wait`, or go on with an empty context for the epoch, recorded as such. */
    readonly onUnavailable: 'wait' | 'none'
    /** Milliseconds between two attempts when waiting, default 500. */
    readonly retryMs?: number
  }
  readonly policy: {
    /**
     * An envelope whose lower bound (or score) is above runs, 0 to 1. `enhanced` asks for more where a failure costs more
     * than runs do on average, and for less where it costs less.
     */
    readonly runAbove: number
    /** An envelope whose safety is below is skipped once its pattern has evidence, 0 to 1. */
    readonly unsafeBelow: number
    /** A pattern whose upper bound is not above is hopeless, or spam, 0 to 1; default 0.2. */
    readonly skipBelow?: number
    /** Decayed outcomes below which nothing is refused by judgement, default 4. */
    readonly minEvidence?: number
    /** 32 bytes each: programs never run. */
    readonly deniedPrograms: readonly Uint8Array[]
    /** Bytes of an envelope's payload, at most. */
    readonly maxPayloadBytes: number
  }
  /** Patterns with learner state, at most; default 1 048 576, at about 200 bytes each. */
  readonly maxPatterns?: number
  /** Blocks that may be undone: context snapshots are kept two epochs longer. */
  readonly keptUndo: number
}

export type RouterDependencies = {
  readonly context: ContextSource
  readonly logger: Logger
  readonly signal: AbortSignal
}
