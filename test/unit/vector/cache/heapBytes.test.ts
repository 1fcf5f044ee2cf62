import fc from 'fast-check'
import { expect, test } from 'vitest'
import { heapBytes } from '../../../../vector/cache/heapBytes.ts'

// `__proto__` is no field of its own where it is assigned.
const name = fc.string().filter((text) => text !== '__proto__')
const plain = fc.anything({
  withBigInt: true,
  withSet: false,
  withMap: false,
  withNullPrototype: false,
  key: name,
})

test('grows with every part of a value', () => {
  fc.assert(
    fc.property(fc.dictionary(name, plain, { noNullPrototype: true }), fc.string(), (value, more) => {
      expect(heapBytes({ ...value, '\0more': more })).toBeGreaterThan(heapBytes(value))
      expect(heapBytes([value, more])).toBeGreaterThan(heapBytes(value) + heapBytes(more))
    }),
  )
})

test('counts two bytes for each character once one is beyond Latin-1', () => {
  expect(heapBytes('ä'.repeat(100))).toBe(16 + 104)
  expect(heapBytes('送'.repeat(100))).toBe(16 + 200)
})
