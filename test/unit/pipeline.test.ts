import { map, of, throwError } from 'rxjs'
import { describe, expect, test } from 'vitest'
import { createChain } from '../../sidecar/notification/chain.ts'
import type { ChainStep } from '../../sidecar/notification/chainSteps.ts'
import type { Block, BlockRef } from '../../sidecar/notification/types.ts'
import { applySteps, type Stages } from '../../sidecar/pipeline.ts'
import type { BlockEffects } from '../../sidecar/watermark/types.ts'
import { fork, genesis, refs } from '../support/chain.ts'
import { withMarbles } from '../support/marbles.ts'

const old = fork(genesis, 2)
const next = fork(genesis, 2, 'b')
const step = (undo: readonly BlockRef[], apply: readonly Block[]): ChainStep => ({
  undo,
  apply,
  chain: createChain([genesis, ...refs(apply)], 10, undefined),
  facts: undefined,
})
const steps = {
  c: step([], old),
  r: step(refs(old).reverse(), next),
  n: step([], []),
}

/** Stages that only write down what they were asked, in order. */
function recordingStages(overrides: Partial<Stages> = {}) {
  const calls: string[] = []
  const stages: Stages = {
    undo(undone, tip) {
      calls.push(`undo ${undone.map((ref) => ref.number)} to ${tip.number}`)
      return []
    },
    ready: () => undefined,
    apply(block) {
      calls.push(`apply ${block.ref.number}`)
      return of({ block: block.ref } as BlockEffects)
    },
    ...overrides,
  }
  return { calls, stages }
}
const never = new AbortController().signal
const words = { u: 'undone', a: 'applied', p: 'processed', f: 'flush' }

describe('applySteps', () => {
  test('undoes, then applies in order, then says processed', () => {
    const { calls, stages } = recordingStages()
    withMarbles(({ hot, expectObservable }) => {
      const out = hot('-c------r-------n---|', steps).pipe(applySteps(stages, never), types())
      expectObservable(out).toBe('-(aap)--(uaap)--p---|', words)
    })
    expect(calls).toEqual(['apply 1', 'apply 2', 'undo 2,1 to 0', 'apply 1', 'apply 2'])
  })

  test('a step waits for the one before it', () => {
    withMarbles(({ hot, cold, expectObservable }) => {
      const { stages } = recordingStages({ apply: () => cold('---(e|)', { e: {} as BlockEffects }) })
      const out = hot('-c-n----------|', steps).pipe(applySteps(stages, never), types())
      expectObservable(out).toBe('----a--(app)--|', words)
    })
  })

  test('asks for a flush before it waits for a block to be ready', () => {
    withMarbles(({ hot, cold, expectObservable }) => {
      let isReady = false
      const { stages } = recordingStages({
        ready: () => {
          if (isReady) return undefined
          isReady = true
          return cold('--(r|)')
        },
      })
      const out = hot('-c--------|', steps).pipe(applySteps(stages, never), types())
      expectObservable(out).toBe('-f-(aap)--|', words)
    })
  })

  test('a stage that fails ends the stream; what follows is not applied', () => {
    const { calls, stages } = recordingStages({ apply: () => throwError(() => new Error('broken')) })
    withMarbles(({ hot, expectObservable }) => {
      const out = hot('-c--r--|', steps).pipe(applySteps(stages, never), types())
      expectObservable(out).toBe('-#', words, new Error('broken'))
    })
    expect(calls).toEqual([])
  })

  test('an undo that fails ends the stream before anything of the step is applied', () => {
    const { calls, stages } = recordingStages({
      undo: () => {
        throw new Error('no undo')
      },
    })
    withMarbles(({ hot, expectObservable }) => {
      expectObservable(hot('-r-|', steps).pipe(applySteps(stages, never), types())).toBe(
        '-#',
        words,
        new Error('no undo'),
      )
    })
    expect(calls).toEqual([])
  })

  test('an error of the source waits until what came before it is applied', () => {
    withMarbles(({ hot, cold, expectObservable }) => {
      const { stages } = recordingStages({ apply: () => cold('---(e|)', { e: {} as BlockEffects }) })
      expectObservable(hot('-c#', steps).pipe(applySteps(stages, never), types())).toBe('----a--(ap#)', words)
    })
  })

  test('an abort finishes the block in hand, skips the rest and says nothing was processed', () => {
    const controller = new AbortController()
    withMarbles(({ hot, cold, expectObservable }) => {
      const { stages } = recordingStages({ apply: () => cold('---(e|)', { e: {} as BlockEffects }) })
      cold('--x').subscribe(() => controller.abort())
      const source = hot('-r-c----|', steps)
      expectObservable(source.pipe(applySteps(stages, controller.signal), types())).toBe('-u--a---|', words)
    })
  })

  test('an abort ends a wait', () => {
    const controller = new AbortController()
    withMarbles(({ hot, cold, expectObservable }) => {
      const { stages } = recordingStages({ ready: () => cold('-') })
      cold('---x').subscribe(() => controller.abort())
      expectObservable(hot('-c----|', steps).pipe(applySteps(stages, controller.signal), types())).toBe(
        '-f----|',
        words,
      )
    })
  })

  test('an early unsubscribe stops before the next block', () => {
    const { calls, stages } = recordingStages()
    withMarbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const source = hot('-c-----|', steps)
      const slow: Stages = {
        ...stages,
        apply(block) {
          calls.push(`apply ${block.ref.number}`)
          return cold('---(e|)', { e: { block: block.ref } as BlockEffects })
        },
      }
      expectObservable(source.pipe(applySteps(slow, never), types()), '---!').toBe('----')
      expectSubscriptions(source.subscriptions).toBe('^--!')
    })
    expect(calls).toEqual(['apply 1'])
  })
})

function types() {
  return map((event: { type: string }) => event.type)
}
