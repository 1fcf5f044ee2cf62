import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  drawBlocks,
  intervalOf,
  resampledMeans,
} from '../../../../sidecar/evaluation/metrics/blockBootstrap.ts'

describe('resampling blocks', () => {
  test('draws as many blocks as there are, the same for the same seed alone', () => {
    const draws = drawBlocks(12, 50, 'a')
    for (const times of draws) expect(times.reduce((sum, one) => sum + one, 0)).toBe(12)
    expect(drawBlocks(12, 50, 'a')).toEqual(draws)
    expect(drawBlocks(12, 50, 'b')).not.toEqual(draws)
  })

  test('a drawn mean is the mean of the rows of the blocks drawn', () => {
    const rows = fc.array(fc.tuple(fc.nat({ max: 3 }), fc.integer({ min: -50, max: 50 })), {
      minLength: 1,
      maxLength: 30,
      size: 'max',
    })
    fc.assert(
      fc.property(rows, fc.array(fc.nat({ max: 3 }), { minLength: 4, maxLength: 4 }), (all, times) => {
        const [mean] = resampledMeans(
          Float64Array.from(all, ([, value]) => value),
          Int32Array.from(all, ([block]) => block),
          [Uint16Array.from(times)],
        )
        const drawn = all.flatMap(([block, value]) => Array.from({ length: times[block]! }, () => value))
        if (drawn.length === 0) expect(mean).toBeUndefined()
        else expect(mean).toBeCloseTo(drawn.reduce((sum, value) => sum + value, 0) / drawn.length, 10)
      }),
    )
  })

  test('what happens together makes the interval wide: 10 blocks of 100 equal rows are 10 outcomes, not 1000', () => {
    const block = Int32Array.from({ length: 1000 }, (_, row) => Math.floor(row / 100))
    const together = Float64Array.from(block, (number) => number % 2)
    const apart = Float64Array.from({ length: 1000 }, (_, row) => row % 2)
    const draws = drawBlocks(10, 1000, 'wide')
    const wide = intervalOf(0.5, resampledMeans(together, block, draws))
    const narrow = intervalOf(0.5, resampledMeans(apart, block, draws))
    expect(narrow).toEqual({ value: 0.5, low: 0.5, high: 0.5 })
    // One standard deviation of a mean of ten coins is 0.158: the interval is about four of them wide.
    expect(wide.high - wide.low).toBeGreaterThan(0.4)
    expect(wide.high - wide.low).toBeLessThan(0.8)
  })

  test('of 1000 values the interval leaves 25 out at each end', () => {
    const values = Array.from({ length: 1000 }, (_, at) => (at * 7919) % 1000)
    expect(intervalOf(500, values)).toEqual({ value: 500, low: 25, high: 975 })
    expect(intervalOf(3, [undefined, undefined])).toEqual({ value: 3, low: 3, high: 3 })
  })
})
