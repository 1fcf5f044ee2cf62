import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  dimensions,
  type Feature,
  featureVector,
  neutralVector,
} from '../../../../vector/embed/featureVector.ts'
import { wholeNumbers } from '../../../../vector/held/wholeNumbers.ts'

const feature = fc.tuple(fc.string(), fc.constantFrom(0.5, 1, 3)).map((each): Feature => each)

test('vectors of features are whole numbers over their length, and nothing else', () => {
  fc.assert(
    fc.property(fc.array(feature, { minLength: 1, maxLength: 40 }), (features) => {
      const vector = featureVector(features) ?? neutralVector()
      const { numbers, length } = wholeNumbers(vector)
      expect(numbers.reduce((sum, number) => sum + number * number, 0)).toBeCloseTo(length ** 2, 2)
      for (const [at, number] of numbers.entries()) expect(number / length).toBeCloseTo(vector[at]!, 6)
    }),
    { numRuns: 1000 },
  )
})

test('others are rounded', () => {
  const vector = Float32Array.from({ length: dimensions }, (_, at) => Math.sin(at * 1.234) + 0.01)
  const length = Math.hypot(...vector)
  const unit = vector.map((component) => component / length)
  const { numbers, length: scale } = wholeNumbers(unit)
  for (const [at, number] of numbers.entries())
    expect(Math.abs(number / scale - unit[at]!)).toBeLessThan(1 / 250)
})
