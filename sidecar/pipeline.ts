import {
  concat,
  concatMap,
  defer,
  EMPTY,
  from,
  fromEvent,
  identity,
  ignoreElements,
  map,
  materialize,
  type Observable,
  type ObservableInput,
  type OperatorFunction,
  of,
  pipe,
  takeUntil,
  tap,
  throwError,
} from 'rxjs'
import { type Chain, type ChainInput, chainTip } from './notification/chain.ts'
import { type ChainStep, chainSteps } from './notification/chainSteps.ts'
import { finalizedOnly } from './notification/finalizedOnly.ts'
import type { Block, BlockRef, NotificationFacts } from './notification/types.ts'
import { type CommitPolicy, type Committing, commitGroups } from './watermark/commitGroups.ts'
import type { BlockEffects, Effects } from './watermark/types.ts'

/** What the stages do to memory; nothing here is durable yet. */
export type Stages = {
  /** Takes blocks back, newest first, and says what the vector store is to be told. Whatever it throws ends the stream. */
  undo(refs: readonly BlockRef[], tip: BlockRef): Effects['undoOutbox']
  /**
   * What the block must wait for (its context is not there, the outbox is full): completes when it can be taken on;
   * undefined, nearly always, when it can be at once. What is staged is committed before the wait, since the wait may
   * be for it.
   */
  ready(block: Block): ObservableInput<unknown> | undefined
  /** Decides and runs one block. */
  apply(block: Block): ObservableInput<BlockEffects>
}

/** What comes out of the pipeline, in chain order. */
export type PipelineEvent =
  | {
      readonly type: 'undone'
      /** Newest first. */
      readonly blocks: readonly BlockRef[]
      readonly tip: BlockRef
      readonly outbox: Effects['undoOutbox']
    }
  | {
      readonly type: 'applied'
      readonly effects: BlockEffects
      readonly facts: NotificationFacts | undefined
    }
  /** All of an input is applied in memory: its credit may be granted. */
  | { readonly type: 'processed'; readonly step: ChainStep }
  /** Everything up to here survives a kill. */
  | { readonly type: 'durable'; readonly block: BlockRef; readonly blocks: number }

type Change = Exclude<PipelineEvent, { type: 'durable' }> | { readonly type: 'flush' }

export type PipelineOptions = {
  /** The chain at subscription: what was received by then. */
  readonly initial: () => Chain
  /** Told of each step when it is queued; for each that is then applied there is one event `processed`. */
  readonly received?: (step: ChainStep) => void
  /** Hold blocks back until they are final: for an executor that cannot take anything back. */
  readonly finalizedOnly?: boolean
  readonly policy: CommitPolicy
  /** Aborted: finish the block in hand, skip the rest, and complete with the source. */
  readonly signal: AbortSignal
}

/**
 * The stages joined: chain inputs become undo/apply steps, steps become effects, effects become durable in groups.
 * Errors with what a stage throws (`GapError`, `ReorgTooDeepError`, store errors); a bad transaction is a value.
 */
export function pipeline(
  stages: Stages,
  store: Committing,
  options: PipelineOptions,
): OperatorFunction<ChainInput, PipelineEvent> {
  return pipe(
    chainSteps(options.initial),
    tap((step) => options.received?.(step)),
    options.finalizedOnly ? finalizedOnly() : identity,
    applySteps(stages, options.signal),
    commitGroups(store, options.policy),
  )
}

/**
 * One step after another: all of its undo, then its blocks in order. `concatMap`, because every block is decided and
 * run on the state the one before it left; what queues here is bounded by the credit the server was given. An error of
 * the source waits its turn too: what came before it is applied whole.
 */
export function applySteps(stages: Stages, signal: AbortSignal): OperatorFunction<ChainStep, Change> {
  return pipe(
    materialize(),
    concatMap((notification) => {
      if (notification.kind === 'C' || signal.aborted) return EMPTY
      if (notification.kind === 'E') return throwError(() => notification.error)
      return applyStep(stages, notification.value, signal)
    }),
  )
}

function applyStep(stages: Stages, step: ChainStep, signal: AbortSignal): Observable<Change> {
  return concat(
    defer(() => undoStep(stages, step)),
    from(step.apply).pipe(
      concatMap((block) => (signal.aborted ? EMPTY : applyBlock(stages, block, step.facts, signal))),
    ),
    // A step cut short was not processed: an undo without its whole redo is not made durable.
    defer(() => (signal.aborted && step.apply.length > 0 ? EMPTY : of<Change>({ type: 'processed', step }))),
  )
}

function undoStep(stages: Stages, step: ChainStep): Observable<Change> {
  if (step.undo.length === 0) return EMPTY
  const tip = step.apply[0]?.parent ?? chainTip(step.chain)!
  const outbox = stages.undo(step.undo, tip)
  return of<Change>({ type: 'undone', blocks: step.undo, tip, outbox })
}

function applyBlock(
  stages: Stages,
  block: Block,
  facts: NotificationFacts | undefined,
  signal: AbortSignal,
): Observable<Change> {
  const apply = defer(() => (signal.aborted ? EMPTY : stages.apply(block))).pipe(
    map((effects): Change => ({ type: 'applied', effects, facts })),
  )
  return defer(() => {
    const wait = stages.ready(block)
    if (!wait) return apply
    const ready = from(wait).pipe(ignoreElements(), takeUntil(fromEvent(signal, 'abort')))
    return concat(of<Change>({ type: 'flush' }), ready, apply)
  })
}
