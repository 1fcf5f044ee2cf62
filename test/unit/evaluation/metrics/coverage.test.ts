import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { coverageCurve } from '../../../../sidecar/evaluation/metrics/coverage.ts'

const of = (p: readonly number[], y: readonly number[], points?: number) =>
  coverageCurve(Float64Array.from(p), Uint8Array.from(y), points)

describe('coverage against risk', () => {
  test('by hand', () => {
    // Surest first: success, failure, success, failure.
    const { points, area } = of([0.4, 0.9, 0.6, 0.7], [0, 1, 1, 0], 4)
    expect(points.map(({ coverage }) => coverage)).toEqual([0.25, 0.5, 0.75, 1])
    expect(points.map(({ risk }) => risk)).toEqual([0, 0.5, 1 / 3, 0.5])
    expect(area).toBeCloseTo((0 + 1 / 2 + 1 / 3 + 1 / 2) / 4, 12)
  })

  test('a constant predictor has the rate of failures at every coverage', () => {
    const { points, area } = of([0.5, 0.5, 0.5, 0.5, 0.5], [1, 0, 1, 1, 1], 5)
    for (const { risk } of points) expect(risk).toBeCloseTo(0.2, 12)
    expect(area).toBeCloseTo(0.2, 12)
  })

  test('without rows there is no curve', () => {
    expect(of([], [])).toEqual({ points: [], area: 0 })
  })

  test('ends at all rows and their failures, and no order of rows changes it', () => {
    const rows = fc.array(fc.tuple(fc.nat({ max: 8 }), fc.integer({ min: 0, max: 1 })), {
      minLength: 1,
      maxLength: 60,
      size: 'max',
    })
    fc.assert(
      fc.property(rows, (all) => {
        const p = all.map(([given]) => given / 8)
        const y = all.map(([, one]) => one)
        const curve = of(p, y)
        const last = curve.points.at(-1)!
        expect(last.coverage).toBe(1)
        expect(last.risk).toBeCloseTo(y.filter((one) => one === 0).length / y.length, 12)
        expect(of(p.toReversed(), y.toReversed()).area).toBeCloseTo(curve.area, 12)
      }),
    )
  })

  test('no order has less area than the true one, none more than its reverse', () => {
    const y = [1, 1, 1, 0, 1, 0, 0, 1]
    const best = of(y, y).area
    const worst = of(
      y.map((one) => 1 - one),
      y,
    ).area
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 8, maxLength: 8 }),
        (p) => {
          const { area } = of(p, y)
          expect(area).toBeGreaterThanOrEqual(best - 1e-12)
          expect(area).toBeLessThanOrEqual(worst + 1e-12)
        },
      ),
    )
  })
})
