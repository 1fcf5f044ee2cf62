import fc from 'fast-check'
import { expect, test } from 'vitest'
import { locatorNumbers } from '../../../sidecar/watermark/locatorNumbers.ts'

test('names every block near the tip, then doubles the gaps down to the oldest', () => {
  expect(locatorNumbers(100n, 0n).map(Number)).toEqual([
    ...Array.from({ length: 16 }, (_, n) => 100 - n),
    ...[83, 79, 71, 55, 23, 0],
  ])
  expect(locatorNumbers(3n, 1n)).toEqual([3n, 2n, 1n])
  expect(locatorNumbers(3n, 3n)).toEqual([3n])
})

test('falls from tip to oldest in few steps', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 10n ** 12n }), fc.bigInt({ min: 0n, max: 10n ** 12n }), (a, b) => {
      const [oldest, tip] = a < b ? [a, b] : [b, a]
      const numbers = locatorNumbers(tip, oldest)
      expect([numbers[0], numbers.at(-1)]).toEqual([tip, oldest])
      expect(numbers.every((number, n) => n === 0 || number < numbers[n - 1]!)).toBe(true)
      expect(numbers.length).toBeLessThan(60)
    }),
  )
})
