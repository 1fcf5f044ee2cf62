import { map } from 'rxjs'
import { describe, expect, test } from 'vitest'
import { type ChainInput, createChain } from '../../../sidecar/notification/chain.ts'
import { chainSteps } from '../../../sidecar/notification/chainSteps.ts'
import { finalizedOnly } from '../../../sidecar/notification/finalizedOnly.ts'
import { committed, fork, genesis, reorged } from '../../support/chain.ts'
import { withMarbles } from '../../support/marbles.ts'

const old = fork(genesis, 4)
const next = fork(old[1]!.ref, 3, 'b')
const inputs: Record<string, ChainInput> = {
  a: committed(old, genesis),
  r: reorged(old.slice(2), next, old[0]!.ref),
  f: { kind: 'heads', finalized: next[0]!.ref },
}
const numbers = map((step: { undo: readonly unknown[]; apply: readonly { ref: { hash: string } }[] }) => {
  expect(step.undo).toEqual([])
  return step.apply.map((block) => block.ref.hash)
})

describe('finalizedOnly', () => {
  test('lets a block out once it is final, and never one that was undone', () => {
    withMarbles(({ hot, expectObservable }) => {
      const steps = hot('-a-r-f-|', inputs).pipe(
        chainSteps(() => createChain([genesis], 10, undefined)),
        finalizedOnly(),
        numbers,
      )
      expectObservable(steps).toBe('-a-r-f-|', {
        a: [],
        r: [old[0]!.ref.hash],
        f: [old[1]!.ref.hash, next[0]!.ref.hash],
      })
    })
  })

  test('passes an error on, and unsubscribes from its source', () => {
    withMarbles(({ hot, expectObservable, expectSubscriptions }) => {
      const chain = chainSteps(() => createChain([genesis], 10, undefined))
      expectObservable(hot('-a-#', inputs).pipe(chain, finalizedOnly(), numbers)).toBe('-a-#', { a: [] })
      const source = hot('-a-r-|', inputs)
      expectObservable(source.pipe(chain, finalizedOnly(), numbers), '--!').toBe('-a', { a: [] })
      expectSubscriptions(source.subscriptions).toBe('^-!')
    })
  })
})
