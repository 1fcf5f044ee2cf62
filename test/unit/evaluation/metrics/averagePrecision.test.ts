import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  averagePrecision,
  prepareAveragePrecision,
} from '../../../../sidecar/evaluation/metrics/averagePrecision.ts'

/** By definition: over falling thresholds, precision at the threshold times the recall it adds. */
function byDefinition(scores: readonly number[], positive: readonly number[]): number {
  const all = positive.filter((one) => one === 1).length
  let area = 0
  let recallBefore = 0
  for (const threshold of [...new Set(scores)].sort((a, b) => b - a)) {
    const taken = scores.flatMap((score, row) => (score >= threshold ? [row] : []))
    const found = taken.filter((row) => positive[row] === 1).length
    area += (found / all - recallBefore) * (found / taken.length)
    recallBefore = found / all
  }
  return area
}

const of = (scores: readonly number[], positive: readonly number[]) =>
  averagePrecision(Float64Array.from(scores), Uint8Array.from(positive))

/** Few distinct scores, so that ties are common. */
const rows = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 1 }), fc.nat({ max: 4 })), {
    minLength: 1,
    maxLength: 40,
    size: 'max',
  })
  .filter((all) => all.some(([, positive]) => positive === 1))

describe('average precision', () => {
  test('is what hand and definition say', () => {
    // Found at places 1 and 3: (1/1 + 2/3) / 2.
    expect(of([0.9, 0.8, 0.7, 0.6], [1, 0, 1, 0])).toBeCloseTo(5 / 6, 12)
    // The two at 0.5 are one step of precision 2/3: 1/2 · 1/1 + 1/2 · 2/3.
    expect(of([0.9, 0.5, 0.5], [1, 1, 0])).toBeCloseTo(5 / 6, 12)
  })

  test('is 1 for a perfect order, the share of positives for a constant, and nothing without positives', () => {
    expect(of([3, 2, 1, 0], [1, 1, 0, 0])).toBe(1)
    expect(of([0.3, 0.3, 0.3, 0.3], [0, 1, 0, 0])).toBe(0.25)
    expect(of([1, 2], [0, 0])).toBeUndefined()
    expect(of([], [])).toBeUndefined()
  })

  test('equals the definition, whatever the order of rows', () => {
    fc.assert(
      fc.property(rows, (all) => {
        const scores = all.map(([score]) => score)
        const positive = all.map(([, one]) => one)
        const expected = byDefinition(scores, positive)
        expect(of(scores, positive)).toBeCloseTo(expected, 10)
        expect(of(scores.toReversed(), positive.toReversed())).toBeCloseTo(expected, 10)
      }),
    )
  })

  test('weights count as so many copies of a block', () => {
    fc.assert(
      fc.property(rows, fc.array(fc.nat({ max: 3 }), { minLength: 5, maxLength: 5 }), (all, times) => {
        const copies = all.flatMap((row) => Array.from({ length: times[row[2]]! }, () => row))
        const weighted = prepareAveragePrecision(
          Float64Array.from(all, ([score]) => score),
          Uint8Array.from(all, ([, positive]) => positive),
          Int32Array.from(all, ([, , block]) => block),
        )(times)
        const copied = of(
          copies.map(([score]) => score),
          copies.map(([, positive]) => positive),
        )
        if (copied === undefined) expect(weighted).toBeUndefined()
        else expect(weighted).toBeCloseTo(copied, 10)
      }),
    )
  })
})
