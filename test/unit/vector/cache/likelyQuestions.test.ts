import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createLikelyQuestions } from '../../../../vector/cache/likelyQuestions.ts'

test('counts what was asked within the window, and no further back', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...'abcde')),
      fc.integer({ min: 1, max: 12 }),
      fc.constantFrom(0, 0.5, 0.75, 0.8, 1),
      (asked, windowSize, threshold) => {
        const likely = createLikelyQuestions({ windowSize, threshold })
        for (const [index, key] of asked.entries()) {
          likely.asked(key)
          const window = asked.slice(Math.max(0, index + 1 - windowSize), index + 1)
          const count = (key: string) => window.filter((each) => each === key).length
          const expected = [...new Set(window)].filter((key) => count(key) / (count(key) + 1) >= threshold)
          expect(likely.list().toSorted()).toEqual(expected.toSorted())
          expect(likely.list().map(count)).toEqual(expected.map(count).toSorted((a, b) => b - a))
          for (const key of 'abcde') expect(likely.isLikely(key)).toBe(expected.includes(key))
        }
      },
    ),
  )
})
