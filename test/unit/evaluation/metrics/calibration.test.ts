import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  brierParts,
  calibrationError,
  equalMassBins,
  squaredErrors,
} from '../../../../sidecar/evaluation/metrics/calibration.ts'

const binsOf = (p: readonly number[], y: readonly number[], count?: number) =>
  equalMassBins(Float64Array.from(p), Uint8Array.from(y), count)

const rows = fc.array(
  fc.tuple(
    // Bytes and halves of steps between: some tie, some do not.
    fc.integer({ min: 0, max: 60 }).map((step) => step / 60),
    fc.integer({ min: 0, max: 1 }),
  ),
  { minLength: 1, maxLength: 120, size: 'max' },
)

describe('bins of equal mass', () => {
  test('are cut where the mass says', () => {
    const p = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
    const bins = binsOf(p, [0, 1, 0, 1, 1, 1], 3)
    expect(bins.map(({ rows, observed }) => [rows, observed])).toEqual([
      [2, 0.5],
      [2, 0.5],
      [2, 1],
    ])
    expect(bins.map(({ predicted }) => predicted)).toEqual([0.15000000000000002, 0.35, 0.55])
  })

  test('never part equal predictions, hold every row once, rise, and are 15 at most', () => {
    fc.assert(
      fc.property(rows, (all) => {
        const p = all.map(([given]) => given)
        const y = all.map(([, one]) => one)
        const bins = binsOf(p, y)
        expect(bins.length).toBeLessThanOrEqual(15)
        expect(bins.reduce((sum, bin) => sum + bin.rows, 0)).toBe(p.length)
        expect(bins.every((bin) => bin.rows > 0)).toBe(true)
        const sorted = p.toSorted((a, b) => a - b)
        let at = 0
        for (const bin of bins) {
          at += bin.rows
          if (at < sorted.length) expect(sorted[at], `the row after ${at}`).toBeGreaterThan(sorted[at - 1]!)
        }
        expect(binsOf(p.toReversed(), y.toReversed()).map((bin) => [bin.rows, bin.observed])).toEqual(
          bins.map((bin) => [bin.rows, bin.observed]),
        )
      }),
    )
  })

  test('of as many different predictions as rows, none has two more than its share', () => {
    fc.assert(
      fc.property(fc.integer({ min: 15, max: 400 }), (n) => {
        const p = Array.from({ length: n }, (_, row) => row / n)
        const bins = binsOf(
          p,
          p.map(() => 1),
        )
        expect(bins.length).toBe(15)
        for (const bin of bins) expect(Math.abs(bin.rows - n / 15)).toBeLessThan(1)
      }),
    )
  })
})

describe('calibration error', () => {
  test('is the mean distance by rows', () => {
    // |0.15 - 0.5| · 2/6 + |0.35 - 0.5| · 2/6 + |0.55 - 1| · 2/6.
    const bins = binsOf([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], [0, 1, 0, 1, 1, 1], 3)
    expect(calibrationError(bins)).toBeCloseTo((0.35 + 0.15 + 0.45) / 3, 12)
  })

  test('is 0 for a perfect predictor and for the rate itself', () => {
    expect(calibrationError(binsOf([0, 0, 1, 1], [0, 0, 1, 1]))).toBe(0)
    expect(calibrationError(binsOf([0.75, 0.75, 0.75, 0.75], [1, 1, 0, 1]))).toBe(0)
    expect(calibrationError([])).toBe(0)
  })
})

describe('parts of the Brier score', () => {
  test('by hand', () => {
    // Two bins: predicted 0.2, observed 0; predicted 0.9, observed 0.5. Rate 1/4.
    const parts = brierParts(binsOf([0.2, 0.2, 0.9, 0.9], [0, 0, 0, 1], 2))
    expect(parts.reliability).toBeCloseTo((0.04 + 0.16) / 2, 12)
    expect(parts.resolution).toBeCloseTo(0.0625, 12)
    expect(parts.uncertainty).toBeCloseTo(3 / 16, 12)
    expect(parts.withinBins).toBeCloseTo(0, 12)
    expect(parts.brier).toBeCloseTo((0.04 + 0.04 + 0.81 + 0.01) / 4, 12)
  })

  test('add up to the mean squared error, whatever the bins hide', () => {
    fc.assert(
      fc.property(rows, (all) => {
        const p = Float64Array.from(all, ([given]) => given)
        const y = Uint8Array.from(all, ([, one]) => one)
        const direct = squaredErrors(p, y).reduce((sum, error) => sum + error, 0) / p.length
        expect(brierParts(equalMassBins(p, y)).brier).toBeCloseTo(direct, 12)
      }),
    )
  })

  test('a perfect predictor has no error; the rate alone has the uncertainty and nothing else', () => {
    const perfect = brierParts(binsOf([0, 1, 1], [0, 1, 1]))
    expect(perfect).toMatchObject({ brier: 0, reliability: 0 })
    expect(perfect.resolution).toBeCloseTo(perfect.uncertainty, 12)
    const constant = brierParts(binsOf([0.5, 0.5, 0.5, 0.5], [0, 1, 1, 0]))
    expect(constant).toEqual({ brier: 0.25, reliability: 0, resolution: 0, uncertainty: 0.25, withinBins: 0 })
  })
})
