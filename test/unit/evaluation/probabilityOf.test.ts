import pino from 'pino'
import { describe, expect, test } from 'vitest'
import { probabilityOf, runs } from '../../../sidecar/evaluation/probabilityOf.ts'
import { createRouter } from '../../../sidecar/router/createRouter.ts'
import { openDecisions } from '../../../sidecar/router/readDecisions.ts'
import { seedFormula } from '../../../sidecar/router/seedFormula.ts'
import { recordedChain } from './support/recordedChain.ts'
import { routerOptions } from './support/routerOptions.ts'

describe('the probability a decision states', () => {
  test('is its part success', async () => {
    const [decision] = await decide('pattern')
    expect(probabilityOf(decision!, false)).toBe(decision!.parts.success)
  })

  test('of the seeds is their score, taken back out of the confidence', async () => {
    const [decision] = await decide('seed')
    const { score } = seedFormula(Buffer.from('00000001', 'hex'), 0, 0.5)
    expect(probabilityOf(decision!, false)).toBeCloseTo(score, 4)
  })

  test('of a refusal is what its confidence leaves', async () => {
    const [decision] = await decide('seed')
    const refused = { ...decision!, route: 'skip', confidence: 0.75 } as const
    expect(probabilityOf(refused, false)).toBe(0.25)
    expect(probabilityOf({ ...refused, route: 'executeOnEvm' }, false)).toBe(0.75)
    // An envelope left to the EVM is one that was refused.
    expect(probabilityOf({ ...refused, route: 'executeOnEvm' }, true)).toBe(0.25)
    expect(probabilityOf({ ...refused, route: 'executeOnSvm' }, true)).toBe(0.75)
    expect(runs({ ...refused, route: 'executeOnEvm' }, true)).toBe(false)
  })
})

async function decide(scorer: 'pattern' | 'seed') {
  const [block] = recordedChain([[{ contract: 1, succeeded: true }]])
  const router = createRouter(
    { ...routerOptions, scorer },
    {
      context: { patternsAt: async () => [] },
      logger: pino({ level: 'silent' }),
      signal: new AbortController().signal,
    },
    { rows: () => [], tip: undefined },
  )
  await router.prepare(block!)
  const { blob } = router.decide(block!, new Map())
  return [openDecisions(blob).at(0)]
}
