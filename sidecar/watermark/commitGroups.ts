import {
  asyncScheduler,
  Observable,
  type OperatorFunction,
  type SchedulerLike,
  type Subscription,
} from 'rxjs'
import type { BlockRef } from '../notification/types.ts'
import type { BlockEffects, Effects } from './types.ts'

/** When staged blocks are made durable. */
export type CommitPolicy = {
  /** At most so many blocks in one transaction; reached only under load. */
  readonly maxBlocks: number
  /** At most so long staged, and at least so long between two commits unless `maxBlocks` are there. Milliseconds. */
  readonly maxDelayMs: number
  /** Of time; virtual in tests. */
  readonly scheduler?: SchedulerLike
}

/** The store as this operator sees it. */
export type Committing = {
  stage(effects: Effects): void
  /** Makes everything staged durable, whole or not at all; undefined when nothing was staged. */
  commit(): BlockRef | undefined
}

type Staging =
  | { readonly type: 'undone'; readonly blocks: readonly BlockRef[]; readonly outbox: Effects['undoOutbox'] }
  | { readonly type: 'applied'; readonly effects: BlockEffects }
  | {
      readonly type: 'processed'
      readonly step: { readonly chain: { readonly finalized: BlockRef | undefined } }
    }
  | { readonly type: 'flush' }

export type Durable = { readonly type: 'durable'; readonly block: BlockRef; readonly blocks: number }

/**
 * Stages what it sees, passes it on, and emits `durable` after each commit.
 *
 * A quiet chain is committed at once. Under load blocks are grouped: a commit costs about as much for ten blocks as
 * for one, and waiting `maxDelayMs` bounds both its share of the time and the delay of an acknowledgement. An undo and
 * what replaces it are one transaction; only `flush` (a wait that needs what is staged) may part them, between blocks.
 */
export function commitGroups<T extends Staging>(
  store: Committing,
  policy: CommitPolicy,
): OperatorFunction<T, Exclude<T, { type: 'flush' }> | Durable> {
  const scheduler = policy.scheduler ?? asyncScheduler
  return (source) =>
    new Observable((subscriber) => {
      let stagedBlocks = 0
      let isStaged = false
      // Inside an undo and its redo, where no group may end.
      let isAtomic = false
      let finalized: BlockRef | undefined
      let lastCommit = Number.NEGATIVE_INFINITY
      let timer: Subscription | undefined

      const commit = () => {
        timer?.unsubscribe()
        timer = undefined
        if (!isStaged) return
        const block = store.commit()
        const blocks = stagedBlocks
        stagedBlocks = 0
        isStaged = false
        lastCommit = scheduler.now()
        if (block) subscriber.next({ type: 'durable', block, blocks })
      }
      const commitWhenDue = () => {
        if (!isStaged || isAtomic) return
        const waitMs = lastCommit + policy.maxDelayMs - scheduler.now()
        if (stagedBlocks >= policy.maxBlocks || waitMs <= 0) commit()
        else timer ??= scheduler.schedule(() => guarded(onTimer), waitMs)
      }
      const onTimer = () => {
        timer = undefined
        if (!isAtomic) commit()
      }
      const finish = () => {
        timer?.unsubscribe()
        if (!isAtomic) commit()
      }
      const guarded = (work: () => void) => {
        try {
          work()
        } catch (error) {
          subscriber.error(error)
        }
      }

      const subscription = source.subscribe({
        next: (change) =>
          guarded(() => {
            switch (change.type) {
              case 'undone':
                store.stage({
                  undo: change.blocks,
                  undoOutbox: change.outbox,
                  apply: [],
                  finalized: undefined,
                })
                isStaged = true
                isAtomic = true
                break
              case 'applied':
                store.stage({ undo: [], undoOutbox: [], apply: [change.effects], finalized: undefined })
                isStaged = true
                stagedBlocks++
                break
              case 'processed':
                if (change.step.chain.finalized?.hash !== finalized?.hash) {
                  finalized = change.step.chain.finalized
                  store.stage({ undo: [], undoOutbox: [], apply: [], finalized })
                  isStaged = true
                }
                isAtomic = false
                break
              case 'flush':
                commit()
                return
            }
            subscriber.next(change as Exclude<T, { type: 'flush' }>)
            if (change.type === 'processed' || stagedBlocks >= policy.maxBlocks) commitWhenDue()
          }),
        // What was applied whole is kept, however the source ended; half a reorg is not.
        error: (error) => {
          guarded(finish)
          subscriber.error(error)
        },
        complete: () => {
          guarded(finish)
          subscriber.complete()
        },
      })
      return () => {
        timer?.unsubscribe()
        subscription.unsubscribe()
      }
    })
}
