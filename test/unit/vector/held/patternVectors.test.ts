import { expect, test } from 'vitest'
import { createRandom } from '../../../../harness/random.ts'
import { closeness } from '../../../../vector/embed/closeness.ts'
import { embedPattern } from '../../../../vector/embed/embedPattern.ts'
import { type Fits, fitsOfTags } from '../../../../vector/held/heldVectors.ts'
import {
  createPatternVectors,
  type NearPattern,
  patternBits,
} from '../../../../vector/held/patternVectors.ts'
import { storedPattern } from '../../../../vector/rows/storedRows.ts'
import type { PatternProfile } from '../../../../vector/types.ts'
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
  expect(nearest).toMatchObject({ id, boundary })
  for (const [at, component] of nearest!.vector.entries()) expect(component).toBeCloseTo(vector[at]!, 6)
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

test('of more than are kept nothing is said, and nothing is held', () => {
  const row = storedPattern(patternOf('a', 1))
  const newest = (_: string, __: readonly string[], limit: number) =>
    Array.from({ length: limit }, (_, index) => ({ ...row, id: String(index).padStart(50, '0') }))
  const vectors = createPatternVectors({ newest, list: () => [] })
  const wanted = embedPattern(patternOf('a', 1))
  expect(vectors.nearest(wanted, 1)).toBeUndefined()
  // Nor is any held, then or later.
  vectors.applied([], [patternOf('a', 1)])
  expect(vectors.bytes()).toBe(0)
  expect(vectors.nearest(wanted, 1)).toBeUndefined()
})

test('they are those that comparing each with each finds, of as near ones the first by id', () => {
  const random = createRandom(1, 'patterns')
  const vectors = createPatternVectors({ newest: () => [], list: () => [] })
  const there = new Map<string, PatternProfile>()
  const wanted = embedPattern(patternOf('7', 3))
  vectors.nearest(wanted, 1)
  const hasFailed = ({ evmFailed, svmFailed }: PatternProfile) => evmFailed > 0 || svmFailed > 0
  const ways: readonly (readonly [Fits | undefined, (pattern: PatternProfile) => boolean])[] = [
    [undefined, () => true],
    [fitsOfTags((tag) => (tag & patternBits.failed) !== 0), hasFailed],
    [
      { test: (tag, block) => (tag & patternBits.svm) !== 0 && block <= 20 },
      ({ svm, boundary }) => svm && boundary <= 20n,
    ],
  ]
  for (let step = 0; step < 3_000; step += 1) {
    const pattern = patternOf(String(random.below(700)), random.below(40), {
      svm: random.chance(0.3),
      evmFailed: random.below(2),
      svmFailed: random.below(2),
    })
    if (random.below(3) === 0) {
      vectors.applied([pattern.id], [])
      there.delete(pattern.id)
    } else {
      vectors.applied([], [pattern])
      there.set(pattern.id, pattern)
    }
    if (step % 100 > 0) continue
    for (const [fits, fulfils] of ways) {
      const expected = [...there.values()]
        .filter(fulfils)
        .map((each) => ({ id: each.id, product: closeness(wanted, embedPattern(each)) }))
      const found = vectors.nearest(wanted, 20, fits)!
      expect(found).toHaveLength(Math.min(20, expected.length))
      // Products of floats differ in their last bits, which whole numbers do not.
      const rounded = expected
        .map(({ id, product }) => ({ id, product: Math.round(product * 1e5) }))
        .sort((a, b) => b.product - a.product || (a.id < b.id ? -1 : 1))
      expect(idsIn(found)).toEqual(rounded.slice(0, 20).map(({ id }) => id))
      for (const [place, { id, boundary, closeness }] of found.entries()) {
        expect(closeness * 1e5).toBeCloseTo(rounded[place]!.product, -1)
        expect(boundary).toBe(there.get(id)!.boundary)
      }
    }
  }
})
