import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sigmoid } from '../../../sidecar/router/expLog.ts'
import { InputScales } from '../../../sidecar/router/inputScales.ts'
import { createRandom } from './support/traffic.ts'

const START = [1, 0, 0.5]
const input = fc.tuple(...START.map(() => fc.double({ min: -8, max: 8, noNaN: true })))

test('with nothing learnt the log odds are the inputs by the scales it starts with', () => {
  expect(new InputScales(START).predict(Float64Array.of(9, 2, 1, 4), 1)).toBe(2 + 0 + 2)
})

test('an outcome moves the prediction towards itself, and never makes it less certain', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(input, fc.boolean()), { maxLength: 30 }),
      input,
      fc.boolean(),
      (before, x, succeeded) => {
        const scales = new InputScales(START)
        for (const [given, outcome] of before) scales.learn(Float64Array.from(given), 0, Number(outcome))
        const values = Float64Array.from(x)
        const odds = scales.predict(values, 0)
        const variance = scales.variance(values, 0)
        scales.learn(values, 0, Number(succeeded))
        const moved = scales.predict(values, 0) - odds
        expect(succeeded ? moved : -moved).toBeGreaterThanOrEqual(0)
        // All that an outcome adds is the drift of a changing world.
        expect(scales.variance(values, 0)).toBeLessThanOrEqual(variance + 1e-6 * 3 * 64)
      },
    ),
  )
})

test('finds the scales of a world in which they are known', () => {
  const truth = [0.4, -0.8, 2]
  const random = createRandom(5)
  const share = () => random(1_000_000) / 1_000_000
  const scales = new InputScales(START)
  const x = new Float64Array(3)
  for (let i = 0; i < 20_000; i++) {
    truth.forEach((_, k) => {
      x[k] = share() * 2 - 1
    })
    const p = sigmoid(truth.reduce((sum, scale, k) => sum + scale * x[k]!, 0))
    scales.learn(x, 0, share() < p ? 1 : 0)
  }
  truth.forEach((scale, k) => {
    expect(scales.values[k], `scale ${k}`).toBeGreaterThan(scale - 0.2)
    expect(scales.values[k], `scale ${k}`).toBeLessThan(scale + 0.2)
  })
})

test('forgets everything when told to', () => {
  const scales = new InputScales(START)
  const before = scales.values.slice()
  scales.learn(Float64Array.of(1, 2, 3), 0, 0)
  expect(scales.values).not.toEqual(before)
  scales.reset()
  expect(scales.values).toEqual(before)
})
