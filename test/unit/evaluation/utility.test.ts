import { expect, test } from 'vitest'
import { isWorthRunning, unitsPerSuccess, utilities, worthOf } from '../../../sidecar/evaluation/utility.ts'

test('a success that ran is worth 1, a failure what it burnt, what did not run nothing', () => {
  const unit = unitsPerSuccess.generated
  const facts = {
    succeeded: Uint8Array.of(1, 0, 1, 0),
    units: Float64Array.of(9 * unit, 3 * unit, unit, unit),
  }
  expect([...utilities(facts, Uint8Array.of(1, 1, 0, 0), 'generated')]).toEqual([1, -3, 0, 0])
  expect([...utilities(facts, facts.succeeded, 'generated')], 'the oracle').toEqual([1, 0, 1, 0])
  expect(worthOf(false, unitsPerSuccess.recorded, 'recorded')).toBe(-1)
})

test('running pays where the expected worth is above that of not running', () => {
  // A failure costs three: worth it above 3 in 4.
  const burnt = 3 * unitsPerSuccess.recorded
  expect(isWorthRunning(0.74, burnt, 'recorded')).toBe(false)
  expect(isWorthRunning(0.76, burnt, 'recorded')).toBe(true)
  expect(isWorthRunning(0.51, undefined, 'recorded')).toBe(true)
  expect(isWorthRunning(0.49, undefined, 'recorded')).toBe(false)
})
