import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CLAMP, logLosses } from '../../../../sidecar/evaluation/metrics/logLoss.ts'

const of = (p: readonly number[], y: readonly number[]) => [
  ...logLosses(Float64Array.from(p), Uint8Array.from(y)),
]

test('is minus the logarithm of what was given to what happened', () => {
  const [half, quarter, rest] = of([0.5, 0.25, 0.25], [1, 1, 0])
  expect(half).toBeCloseTo(Math.LN2, 12)
  expect(quarter).toBeCloseTo(2 * Math.LN2, 12)
  expect(rest).toBeCloseTo(Math.log(4 / 3), 12)
})

test('certainty that was wrong costs as much as a quarter of a byte step allows, no more', () => {
  for (const loss of of([1, 0], [0, 1])) expect(loss).toBeCloseTo(-Math.log(CLAMP), 9)
  expect(of([1], [1])[0]).toBeCloseTo(CLAMP, 5)
})

test('of all constants the true rate loses least', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 19 }),
      fc.double({ min: 0.01, max: 0.99, noNaN: true }),
      (successes, other) => {
        const y = Array.from({ length: 20 }, (_, row) => (row < successes ? 1 : 0))
        const mean = (p: number) => of(new Array<number>(20).fill(p), y).reduce((sum, loss) => sum + loss, 0)
        expect(mean(successes / 20)).toBeLessThanOrEqual(mean(other) + 1e-9)
      },
    ),
  )
})
