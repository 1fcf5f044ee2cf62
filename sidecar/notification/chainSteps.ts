import { defer, map, type OperatorFunction } from 'rxjs'
import { type Chain, type ChainInput, type ChainMove, moveChain } from './chain.ts'
import type { NotificationFacts } from './types.ts'

/** One input turned into work. The lists are empty where there is nothing to do. */
export type ChainStep = ChainMove & {
  /** undefined when the input was no notification. */
  readonly facts: NotificationFacts | undefined
}

/**
 * Inputs in, work out, one for one and in order. The state lives inside the subscription: a new subscription starts
 * from what `initial` returns then.
 *
 * Errors with `GapError` or `ReorgTooDeepError`; nothing of the input that caused it comes out.
 */
export function chainSteps(initial: () => Chain): OperatorFunction<ChainInput, ChainStep> {
  return (source) =>
    defer(() => {
      let chain = initial()
      return source.pipe(
        map((input) => {
          const move = moveChain(chain, input)
          chain = move.chain
          return { ...move, facts: 'sequence' in input ? input : undefined }
        }),
      )
    })
}
