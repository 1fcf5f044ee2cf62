import { describe, expect, test } from 'vitest'
import { createDecayedRates, type RateOutcome } from '../../../sidecar/evaluation/decayedRates.ts'

const ok = (pattern: string, units = 100): RateOutcome => ({ pattern, succeeded: true, units })
const bad = (pattern: string, units = 100): RateOutcome => ({ pattern, succeeded: false, units })

describe('decayed rates', () => {
  test('know nothing but the first rate at first', () => {
    const rates = createDecayedRates({ lag: 1, halfLife: 8, priorWeight: 4 })
    rates.begin(1)
    expect(rates.ofAll()).toBe(0.9)
    expect(rates.of('a')).toBe(0.9)
    expect(rates.unitsOfFailure('a')).toBeUndefined()
    expect(rates.unitsOf('a')).toBe(0)
  })

  test('shrink a pattern to all, and all to the first rate, by hand', () => {
    const rates = createDecayedRates({ lag: 1, halfLife: 1_000_000, priorWeight: 4 })
    rates.begin(1)
    rates.settle(1, [ok('a'), ok('a'), ok('a'), bad('b')])
    rates.begin(2)
    const all = (3 + 4 * 0.9) / (4 + 4)
    expect(rates.ofAll()).toBeCloseTo(all, 5)
    expect(rates.of('a')).toBeCloseTo((3 + 4 * all) / 7, 5)
    expect(rates.of('b')).toBeCloseTo((4 * all) / 5, 5)
    expect(rates.of('never seen')).toBe(rates.ofAll())
  })

  test('learn `lag` blocks behind, not one sooner', () => {
    const rates = createDecayedRates({ lag: 3, halfLife: 8, priorWeight: 4 })
    rates.begin(1)
    rates.settle(1, [bad('a')])
    for (const block of [2, 3]) {
      rates.begin(block)
      expect(rates.of('a'), `block ${block}`).toBe(0.9)
      rates.settle(block, [])
    }
    rates.begin(4)
    expect(rates.of('a')).toBeLessThan(0.8)
  })

  test('an outcome counts half after a half-life, from its own block on', () => {
    const rates = createDecayedRates({ lag: 2, halfLife: 10, priorWeight: 1 })
    rates.begin(1)
    rates.settle(1, [bad('a')])
    rates.begin(11)
    const all = 0.9 / 1.5
    expect(rates.ofAll()).toBeCloseTo(all, 6)
    expect(rates.of('a')).toBeCloseTo(all / 1.5, 6)
  })

  test('know what a failure of a pattern burns, and what its outcomes use', () => {
    const rates = createDecayedRates({ lag: 1, halfLife: 1_000_000, priorWeight: 1 })
    rates.begin(1)
    rates.settle(1, [bad('a', 100), bad('b', 300), ok('b', 500)])
    rates.begin(2)
    expect(rates.unitsOfFailure('a')).toBeCloseTo((100 + 200) / 2, 2)
    expect(rates.unitsOfFailure('never seen')).toBeCloseTo(200, 2)
    expect(rates.unitsOf('b')).toBeCloseTo((800 + 300) / 3, 2)
  })
})
