import { expect, test } from 'vitest'
import { embedPattern } from '../../../../vector/embed/embedPattern.ts'
import { createPatternVectors } from '../../../../vector/fresh/patternVectors.ts'
import { storedPattern } from '../../../../vector/rows/storedRows.ts'
import { patternOf } from '../support.ts'

test('the nearest of all patterns, as they came and went', () => {
  const stored = ['a', 'b', 'c'].map((name) => patternOf(name, 1))
  const vectors = createPatternVectors({ newest: () => stored.map(storedPattern) })
  // Of before anybody asked it is in the rows.
  vectors.applied([], [patternOf('nowhere', 1)])
  const wanted = embedPattern(patternOf('d', 2))
  expect(vectors.nearest(embedPattern(stored[1]!), 1)).toEqual([stored[1]!.id])
  expect(vectors.nearest(wanted, 10)).toHaveLength(3)
  vectors.applied([stored[0]!.id], [patternOf('d', 2)])
  expect(vectors.nearest(wanted, 1)).toEqual([patternOf('d', 2).id])
  expect(vectors.nearest(wanted, 10)?.toSorted()).toEqual(
    [stored[1]!, stored[2]!, patternOf('d', 2)].map(({ id }) => id).sort(),
  )
})

test('of more than are kept nothing is said', () => {
  const row = storedPattern(patternOf('a', 1))
  const newest = (_: string, __: readonly string[], limit: number) =>
    Array.from({ length: limit }, (_, index) => ({ ...row, id: String(index).padStart(50, '0') }))
  expect(createPatternVectors({ newest }).nearest(embedPattern(patternOf('a', 1)), 1)).toBeUndefined()
})
