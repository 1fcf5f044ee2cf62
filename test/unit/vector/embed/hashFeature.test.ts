import { expect, test } from 'vitest'
import { hashFeature } from '../../../../vector/embed/hashFeature.ts'

test('agrees with published MurmurHash3 x86 32 values', () => {
  expect(hashFeature('')).toBe(0)
  expect(hashFeature('test')).toBe(0xba6bd213)
  expect(hashFeature('Hello, world!')).toBe(0xc0363e43)
  expect(hashFeature('The quick brown fox jumps over the lazy dog')).toBe(0x2e4ff723)
})

test('hashes long names by their leading 1024 bytes', () => {
  // Above 1024 units the encoder cuts; at 1024 the loop does not: both must see the same bytes.
  expect(hashFeature(`${'a'.repeat(1024)}b`)).toBe(hashFeature('a'.repeat(1024)))
})

test('spreads names evenly over places and signs', () => {
  const counts = new Array<number>(256).fill(0)
  for (let name = 0; name < 25_600; name += 1) counts[hashFeature(`to:${name}`) & 0xff]! += 1
  // 100 expected in each, standard deviation 10: seven of them away would be a broken hash.
  expect(Math.min(...counts)).toBeGreaterThan(30)
  expect(Math.max(...counts)).toBeLessThan(170)
})
