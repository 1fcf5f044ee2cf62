import { hash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { exp, log, logit, sigmoid } from '../../../sidecar/router/expLog.ts'

const range = (min: number, max: number) => fc.double({ min, max, noNaN: true })

test('exp and log are within 1e-15 of the true value, relatively', () => {
  fc.assert(
    fc.property(range(-700, 700), (x) => {
      expect(Math.abs(exp(x) / Math.exp(x) - 1)).toBeLessThan(1e-15)
    }),
    { numRuns: 5000 },
  )
  fc.assert(
    fc.property(range(1e-300, 1e300), (x) => {
      const expected = Math.log(x)
      expect(Math.abs(log(x) - expected)).toBeLessThanOrEqual(1e-15 * Math.abs(expected))
    }),
    { numRuns: 5000 },
  )
})

test('log is exact at 1, and follows the smallest steps around it', () => {
  expect(log(1)).toBe(0)
  for (let k = 1; k < 50; k++) {
    const x = 1 + 2 ** -k
    expect(Math.abs(log(x) / Math.log1p(2 ** -k) - 1), `2^-${k}`).toBeLessThan(1e-15)
  }
})

test('logit undoes sigmoid', () => {
  fc.assert(
    fc.property(range(-20, 20), (x) => {
      expect(Math.abs(logit(sigmoid(x)) - x)).toBeLessThan(1e-6)
    }),
  )
  expect([sigmoid(0), sigmoid(2000)]).toEqual([0.5, 1])
  expect(sigmoid(-2000)).toBeLessThan(1e-300)
})

test('exp is 0 where it would be smaller than any normal number, and bounded where it would be infinite', () => {
  expect([exp(0), exp(-709), exp(1e9)]).toEqual([1, 0, exp(709)])
})

test('every bit of the results is as written down: other bits would split instances', () => {
  // An engine, or an edit, that rounds one operation otherwise changes these.
  const grid = Float64Array.from({ length: 4096 }, (_, i) => (i - 2048) / 64 + i / 7)
  const bits = (values: Float64Array) => hash('sha256', Buffer.from(values.buffer), 'hex').slice(0, 16)
  expect(bits(grid.map(exp))).toBe('b96bf7f4d1ead126')
  expect(bits(grid.map((x) => log(x * x + 1e-9)))).toBe('7cc7e5283c7e9ff0')
  expect(bits(grid.map(sigmoid))).toBe('6e83928767069318')
})
