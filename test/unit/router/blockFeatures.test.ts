import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BlockFeatures, quarterOctaves } from '../../../sidecar/router/blockFeatures.ts'
import { createBlock } from './support/blocks.ts'

test('reads sizes from the columns, wherever in a frame they start', () => {
  const features = new BlockFeatures()
  const value = fc.bigInt({ min: 0n, max: 2n ** 256n - 1n })
  const shifted = fc.tuple(value, fc.integer({ min: 0, max: 256 })).map(([v, by]) => v >> BigInt(by))
  const transaction = fc.record({
    value: shifted,
    gasLimit: fc.integer({ min: 0, max: 0xffffffff }),
    input: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('hex')),
  })
  fc.assert(
    fc.property(fc.array(transaction, { maxLength: 20 }), fc.nat(3), (transactions, offset) => {
      const { transactions: columns } = createBlock({ number: 1, transactions })
      const frame = new Uint8Array(columns.values.length + offset)
      frame.set(columns.values, offset)
      features.load({ ...columns, values: frame.subarray(offset) })
      transactions.forEach(({ value, gasLimit, input }, row) => {
        expect(features.valueBits[row]).toBe(value === 0n ? 0 : value.toString(2).length)
        expect(features.gasQuarters[row]).toBe(quarterOctaves(gasLimit))
        expect(features.calldataBytes[row]).toBe(input.length / 2)
      })
    }),
  )
})

test('quarter octaves grow with the number and are exact at powers of two', () => {
  for (let power = 0; power < 32; power++) expect(quarterOctaves(2 ** power), `2^${power}`).toBe(4 * power)
  expect([0, 1, 2, 3, 4, 5, 6, 7].map(quarterOctaves)).toEqual([0, 0, 4, 6, 8, 9, 10, 11])
  fc.assert(
    fc.property(fc.nat(2 ** 31), fc.nat(2 ** 31), (a, b) => {
      expect(Math.sign(quarterOctaves(a) - quarterOctaves(b)) * Math.sign(a - b)).toBeGreaterThanOrEqual(0)
    }),
  )
})
