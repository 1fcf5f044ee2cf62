import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fitsPattern } from '../../../../vector/cache/fitsPattern.ts'

test.each([
  ['failed swaps', 'failed swaps', true],
  ['failed swaps', 'FAILED swaps', true],
  ['failed swaps', 'failed', false],
  ['failed swaps', 'failed*', true],
  ['failed swaps', '*swaps', true],
  ['failed swaps', '*led*wap*', true],
  ['failed swaps', '*wap*led*', false],
  ['aba', 'ab*ba', false],
  ['', '', true],
  ['', '*', true],
  ['any', '', false],
  ['a.c', 'a.c', true],
  ['abc', 'a.c', false],
  ['a[b]\\', 'a[b]\\', true],
])('%j against %j is %j', (text, pattern, expected) => {
  expect(fitsPattern(text, pattern)).toBe(expected)
})

test('agrees with a regular expression', () => {
  const text = fc.string({ unit: fc.constantFrom(...'abA.*'), maxLength: 12 })
  fc.assert(
    fc.property(text, text, (text, pattern) => {
      const parts = pattern.split('*').map((part) => part.replaceAll('.', '\\.'))
      expect(fitsPattern(text, pattern)).toBe(new RegExp(`^${parts.join('.*')}$`, 'i').test(text))
    }),
    { numRuns: 2000 },
  )
})

test('many stars over a long text take no longer for it', () => {
  const text = 'a'.repeat(8192)
  expect(fitsPattern(text, `${'*a'.repeat(4000)}*b`)).toBe(false)
})
