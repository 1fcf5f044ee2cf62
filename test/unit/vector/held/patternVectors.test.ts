import { expect, test } from 'vitest'
import { createRandom } from '../../../../harness/random.ts'
import { closeness } from '../../../../vector/embed/closeness.ts'
import { embedPattern } from '../../../../vector/embed/embedPattern.ts'
import { createPatternVectors, type NearPattern } from '../../../../vector/held/patternVectors.ts'
import { storedPattern } from '../../../../vector/rows/storedRows.ts'
import { patternOf } from '../support.ts'

const idsIn = (near: readonly NearPattern[] | undefined) => near?.map(({ id }) => id)

test('the nearest of all patterns, as they came and went', () => {
  const stored = ['a', 'b', 'c'].map((name) => patternOf(name, 1))
  const vectors = createPatternVectors({
    newest: () => stored.map(storedPattern),
    list: () => [stored[1]!.id],
  })
  // Of before anybody asked it is in the rows.
  vectors.applied([], [patternOf('nowhere', 1)])
  const wanted = embedPattern(patternOf('d', 2))
  const { id, boundary } = stored[1]!
  const vector = embedPattern(stored[1]!)
  const [nearest] = vectors.nearest(vector, 1)!
  expect(nearest).toMatchObject({ id, boundary, vector })
  expect(nearest!.closeness).toBeCloseTo(1, 6)
  expect(vectors.nearest(wanted, 10)).toHaveLength(3)
  expect(idsIn(vectors.nearestAmong(wanted, 10, vectors.list(['anything'])!))).toEqual([stored[1]!.id])
  expect(vectors.nearestAmong(wanted, 10, new Set())).toEqual([])
  vectors.applied([stored[0]!.id], [patternOf('d', 2)])
  expect(idsIn(vectors.nearest(wanted, 1))).toEqual([patternOf('d', 2).id])
  expect(idsIn(vectors.nearest(wanted, 10))?.toSorted()).toEqual(
    [stored[1]!, stored[2]!, patternOf('d', 2)].map(({ id }) => id).sort(),
  )
})

test('of more than are kept nothing is said', () => {
  const row = storedPattern(patternOf('a', 1))
  const newest = (_: string, __: readonly string[], limit: number) =>
    Array.from({ length: limit }, (_, index) => ({ ...row, id: String(index).padStart(50, '0') }))
  expect(
    createPatternVectors({ newest, list: () => [] }).nearest(embedPattern(patternOf('a', 1)), 1),
  ).toBeUndefined()
})

test('they are those that comparing each with each finds', () => {
  const random = createRandom(1, 'patterns')
  const vectors = createPatternVectors({ newest: () => [], list: () => [] })
  const there = new Map<string, Float32Array>()
  const wanted = embedPattern(patternOf('7', 3))
  vectors.nearest(wanted, 1)
  for (let step = 0; step < 3_000; step += 1) {
    const pattern = patternOf(String(random.below(700)), random.below(40))
    if (random.below(3) === 0) {
      vectors.applied([pattern.id], [])
      there.delete(pattern.id)
    } else {
      vectors.applied([], [pattern])
      there.set(pattern.id, embedPattern(pattern))
    }
    if (step % 100 > 0) continue
    const products = [...there.values()].map((vector) => closeness(wanted, vector)).sort((a, b) => b - a)
    const found = vectors.nearest(wanted, 20)!.map(({ id }) => closeness(wanted, there.get(id)!))
    expect(found).toHaveLength(Math.min(20, there.size))
    for (const [place, product] of found.entries()) expect(product).toBeCloseTo(products[place]!, 5)
  }
})
