import { defer, map, type OperatorFunction } from 'rxjs'
import type { ChainStep } from './chainSteps.ts'
import type { Block } from './types.ts'

/**
 * Holds blocks back until they are final, for an executor that cannot take anything back: what comes out is never
 * undone. One step out for each in, so that credit keeps flowing; what is held is as many blocks as finality lags.
 */
export function finalizedOnly(): OperatorFunction<ChainStep, ChainStep> {
  return (source) =>
    defer(() => {
      let held: readonly Block[] = []
      return source.pipe(
        map((step) => {
          // An undone block is always among the held: nothing final is undone, `moveChain` sees to it.
          const kept = held.slice(0, held.length - step.undo.length).concat(step.apply)
          const finalized = step.chain.finalized?.number ?? -1n
          const apply = kept.filter((block) => block.ref.number <= finalized)
          held = kept.slice(apply.length)
          return { ...step, undo: [], apply }
        }),
      )
    })
}
