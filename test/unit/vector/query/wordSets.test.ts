import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sharedWords, wordSet } from '../../../../vector/query/wordSets.ts'

const text = fc
  .array(fc.constantFrom('swap', 'approve', 'transfer', 'failed', '0x12', 'ü'), {
    minLength: 1,
    maxLength: 9,
  })
  .map((words) => words.join(' '))

test('the share of words that two texts have in common', () => {
  fc.assert(
    fc.property(text, text, (a, b) => {
      const [first, second] = [new Set(a.split(' ')), new Set(b.split(' '))]
      const expected = first.intersection(second).size / first.union(second).size
      expect(sharedWords(wordSet(a), wordSet(b))).toBeCloseTo(expected, 12)
    }),
  )
  expect(sharedWords(new Set(), new Set())).toBe(0)
})

test('a text seen lately has the set it had, one of long ago a new one', () => {
  const first = wordSet('a b')
  expect(first).toEqual(new Set(['a', 'b']))
  for (let other = 0; other < 1_023; other += 1) wordSet(`other ${other}`)
  expect(wordSet('a b')).toBe(first)
  for (let other = 0; other < 1_024; other += 1) wordSet(`another ${other}`)
  expect(wordSet('a b')).not.toBe(first)
  expect(wordSet('a b')).toEqual(first)
})
