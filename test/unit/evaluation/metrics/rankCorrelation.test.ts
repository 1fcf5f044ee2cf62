import fc from 'fast-check'
import { expect, test } from 'vitest'
import { rankCorrelation } from '../../../../sidecar/evaluation/metrics/rankCorrelation.ts'

const of = (a: readonly number[], b: readonly number[]) =>
  rankCorrelation(Float64Array.from(a), Float64Array.from(b))

test('by hand: 1 - 6 Σ d² / (n (n² - 1)) without ties', () => {
  // Ranks 1 2 3 4 5 against 2 1 4 3 5: d² add up to 4.
  expect(of([10, 20, 30, 40, 50], [2, 1, 4, 3, 5])).toBeCloseTo(1 - 24 / 120, 12)
})

test('by hand: equal values have their mean rank', () => {
  // Ranks 1.5 1.5 3 against 1 2 3: covariance 1.5, variances 1.5 and 2.
  expect(of([7, 7, 9], [1, 2, 3])).toBeCloseTo(1.5 / Math.sqrt(1.5 * 2), 12)
})

test('is 1 with itself, -1 with its reverse, nothing with a constant', () => {
  expect(of([3, 1, 2], [3, 1, 2])).toBeCloseTo(1, 12)
  expect(of([3, 1, 2], [-3, -1, -2])).toBeCloseTo(-1, 12)
  expect(of([1, 2, 3], [5, 5, 5])).toBeUndefined()
  expect(of([], [])).toBeUndefined()
})

test('only the order counts', () => {
  const values = fc.array(fc.tuple(fc.integer({ min: -9, max: 9 }), fc.integer({ min: -9, max: 9 })), {
    minLength: 2,
    maxLength: 40,
    size: 'max',
  })
  fc.assert(
    fc.property(values, (all) => {
      const a = all.map(([x]) => x)
      const b = all.map(([, y]) => y)
      const plain = of(a, b)
      const stretched = of(
        a.map((x) => x ** 3 + 5 * x),
        b,
      )
      if (plain === undefined) expect(stretched).toBeUndefined()
      else expect(stretched).toBeCloseTo(plain, 10)
    }),
  )
})
