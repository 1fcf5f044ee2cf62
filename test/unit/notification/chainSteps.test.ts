import { map } from 'rxjs'
import { describe, expect, test } from 'vitest'
import { type ChainInput, createChain } from '../../../sidecar/notification/chain.ts'
import { chainSteps } from '../../../sidecar/notification/chainSteps.ts'
import { GapError } from '../../../sidecar/notification/errors.ts'
import { committed, fork, genesis, reorged } from '../../support/chain.ts'
import { withMarbles } from '../../support/marbles.ts'

const old = fork(genesis, 2)
const next = fork(genesis, 3, 'b')
const inputs: Record<string, ChainInput> = {
  c: committed(old),
  r: reorged(old, next),
  g: committed(fork(next[2]!.ref, 2, 'gap').slice(1)),
}
const initial = () => createChain([genesis], 10, undefined)
const shape = { c: '0 undone, 2 applied', r: '2 undone, 3 applied' }

describe('chainSteps', () => {
  test('maps each input to its step at once', () => {
    withMarbles(({ hot, expectObservable }) => {
      const source = hot('  -c-r-|', inputs)
      const expected = '     -c-r-|'
      expectObservable(source.pipe(chainSteps(initial), describeSteps())).toBe(expected, shape)
    })
  })

  test('errors with the gap, after what came before it', () => {
    const source = { error: undefined as unknown, seen: 0 }
    withMarbles(({ cold }) => {
      cold('-c-g-r|', inputs)
        .pipe(chainSteps(initial))
        .subscribe({ next: () => source.seen++, error: (error) => (source.error = error) })
    })
    expect(source.seen).toBe(1)
    expect(source.error).toBeInstanceOf(GapError)
  })

  test('unsubscribes from its source', () => {
    withMarbles(({ hot, expectObservable, expectSubscriptions }) => {
      const source = hot('-c-r-|', inputs)
      const stop = '      --!'
      expectObservable(source.pipe(chainSteps(initial), describeSteps()), stop).toBe('-c', shape)
      expectSubscriptions(source.subscriptions).toBe('^-!')
    })
  })

  test('passes a source error on', () => {
    withMarbles(({ cold, expectObservable }) => {
      expectObservable(cold('-c-#', inputs).pipe(chainSteps(initial), describeSteps())).toBe('-c-#', shape)
    })
  })

  test('a second subscription starts from the initial chain again', () => {
    withMarbles(({ cold, expectObservable }) => {
      const steps = cold('c|', inputs).pipe(chainSteps(initial), describeSteps())
      expectObservable(steps).toBe('c|', shape)
      expectObservable(steps).toBe('c|', shape)
    })
  })
})

function describeSteps() {
  return map(
    (step: { undo: readonly unknown[]; apply: readonly unknown[] }) =>
      `${step.undo.length} undone, ${step.apply.length} applied`,
  )
}
