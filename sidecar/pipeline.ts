import {
  concat,
  concatMap,
  defer,
  from,
  ignoreElements,
  map,
  type Observable,
  type ObservableInput,
  type OperatorFunction,
  of,
  pipe,
} from 'rxjs'
import type { Chain, ChainInput } from './notification/chain.ts'
import { type ChainStep, chainSteps } from './notification/chainSteps.ts'
import type { Block, BlockRef, NotificationFacts } from './notification/types.ts'
import type { BlockEffects, Effects } from './watermark/types.ts'
import { type CommitPolicy, commitGroups, type Committing } from './watermark/commitGroups.ts'

/** What the stages do to memory; nothing here is durable yet. */
export type Stages = {
  /** Takes blocks back, newest first, and says what the vector store is to be told. Whatever it throws ends the stream. */
  undo(refs: readonly BlockRef[], tip: BlockRef): Effects['undoOutbox']
  /**
   * What the block must wait for (its context is not there, the outbox is full): completes when it can be taken on;
   * undefined, nearly always, when it can be at once. What is staged is committed before the wait, since the wait may be for it.
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
  | { readonly type: 'applied'; readonly effects: BlockEffects; readonly facts: NotificationFacts | undefined }
  /** All of an input is applied in memory: its credit may be granted. */
  | { readonly type: 'processed'; readonly step: ChainStep }
  /** Everything up to here survives a kill. */
  | { readonly type: 'durable'; readonly block: BlockRef; readonly blocks: number }

type Change = Exclude<PipelineEvent, { type: 'durable' }> | { readonly type: 'flush' }

/**
 * The stages joined: chain inputs become undo/apply steps, steps become effects, effects become durable in groups.
 * Errors with what a stage throws (`GapError`, `ReorgTooDeepError`, store errors); a bad transaction is a value.
 */
export function pipeline(
  initial: () => Chain,
  stages: Stages,
  store: Committing,
  policy: CommitPolicy,
): OperatorFunction<ChainInput, PipelineEvent> {
  return pipe(chainSteps(initial), applySteps(stages), commitGroups(store, policy))
}

/**
 * One step after another: all of its undo, then its blocks in order. `concatMap`, because every block is decided and
 * run on the state the one before it left; what queues here is bounded by the credit the server was given.
 */
export function applySteps(stages: Stages): OperatorFunction<ChainStep, Change> {
  return concatMap((step) =>
    concat(
      defer(() => undoStep(stages, step)),
      from(step.apply).pipe(concatMap((block) => applyBlock(stages, block, step.facts))),
      of<Change>({ type: 'processed', step }),
    ),
  )
}

function undoStep(stages: Stages, step: ChainStep): Observable<Change> {
  if (step.undo.length === 0) return from<Change[]>([])
  const tip = step.apply[0]?.parent ?? step.chain.refs[step.chain.refs.length - 1]!
  const outbox = stages.undo(step.undo, tip)
  return of<Change>({ type: 'undone', blocks: step.undo, tip, outbox })
}

function applyBlock(stages: Stages, block: Block, facts: NotificationFacts | undefined): Observable<Change> {
  const apply = defer(() => stages.apply(block)).pipe(
    map((effects): Change => ({ type: 'applied', effects, facts })),
  )
  return defer(() => {
    const wait = stages.ready(block)
    if (!wait) return apply
    return concat(of<Change>({ type: 'flush' }), from(wait).pipe(ignoreElements()), apply)
  })
}
