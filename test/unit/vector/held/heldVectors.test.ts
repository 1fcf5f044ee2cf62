import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { dimensions, featureVector } from '../../../../vector/embed/featureVector.ts'
import { createHeldVectors, type NearPlace } from '../../../../vector/held/heldVectors.ts'

const vectorOf = (...names: readonly string[]) =>
  featureVector(names.map((name) => [name, 1] as const)) ?? featureVector([['nothing', 1]])!

const placesIn = (near: readonly NearPlace[]) => near.map(({ place }) => place)

function closeness(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let at = 0; at < dimensions; at += 1) sum += a[at]! * b[at]!
  return sum
}

describe('vectors of held rows', () => {
  // Few rows are looked at by one thread, many by two.
  test.each([
    ['one thread', Number.POSITIVE_INFINITY],
    ['two threads', 0],
  ])('are found as near as they are, whatever came and went: %s', async (_, leastShared) => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ add: fc.integer({ min: 1, max: 30 }) }) },
      { weight: 1, arbitrary: fc.record({ cut: fc.integer({ min: 0, max: 40 }) }) },
      { weight: 1, arbitrary: fc.record({ forget: fc.integer({ min: 0, max: 40 }) }) },
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 40 }),
        fc.integer({ min: 1, max: 50 }),
        async (steps, limit) => {
          const held = createHeldVectors(leastShared)
          if (leastShared === 0) await held.startThread()
          let model: { place: number; block: number; vector: Float32Array }[] = []
          let block = 0
          let count = 0
          for (const each of steps) {
            if ('add' in each) {
              block += 1
              for (let index = 0; index < each.add; index += 1) {
                const row = {
                  place: count,
                  block,
                  vector: vectorOf(`to:${count % 5}`, `call:${count % 3}`, `from:${count % 11}`),
                }
                count += 1
                model.push(row)
                held.add({ place: row.place, block, tag: row.place % 3 }, row.vector)
              }
            } else if ('cut' in each) {
              const lowest = block - each.cut + 1
              held.cut(BigInt(lowest))
              model = model.filter((row) => row.block < lowest)
              block = Math.min(block, Math.max(0, lowest - 1))
            } else held.forget(BigInt(block - each.forget))
            // What is let go may stay a while, what is later never goes.
            const known = new Set(placesIn(await held.nearest(vectorOf('to:1'), 1e6)))
            expect(known.size).toBe(held.size())
            if ('forget' in each) model = model.filter(({ place }) => known.has(place))
            for (const row of model) expect(known).toContain(row.place)
            if ('forget' in each) for (const row of model) expect(row.block).toBeLessThanOrEqual(block)
          }
          const question = vectorOf('to:2', 'call:1')
          const values = new Map(model.map(({ place, vector }) => [place, closeness(question, vector)]))
          const isOdd = (place: number, block: number) => place % 3 === 1 && block % 2 === 1
          const odd = new Set(
            model.filter(({ place, block }) => isOdd(place, block)).map(({ place }) => place),
          )
          const ways = [
            [await held.nearest(question, limit), () => true],
            [await held.nearest(question, limit, { test: isOdd }), (place: number) => odd.has(place)],
            [held.nearestAmong(question, limit, new Set([...odd, 1e9])), (place: number) => odd.has(place)],
          ] as const
          for (const [found, fits] of ways) {
            const fitting = [...values].filter(([place]) => fits(place)).map(([, value]) => value)
            const best = fitting.sort((a, b) => b - a).slice(0, limit)
            expect(found).toHaveLength(best.length)
            for (const [index, { place, closeness }] of found.entries()) {
              expect(fits(place)).toBe(true)
              expect(closeness).toBeCloseTo(values.get(place)!, 6)
              expect(closeness).toBeCloseTo(best[index]!, 6)
            }
          }
          await held.close()
        },
      ),
      { numRuns: leastShared === 0 ? 30 : 200 },
    )
  })

  test('of rows that go while they are looked at, or come, none is told as it was before', async () => {
    await using resources = new AsyncDisposableStack()
    const held = createHeldVectors(0)
    resources.defer(() => held.close())
    await held.startThread()
    const [before, after] = [vectorOf('to:1'), vectorOf('to:2')]
    const add = (from: number, to: number, vector: Float32Array) => {
      for (let row = from; row < to; row += 1) held.add({ place: row, block: row, tag: 0 }, vector)
    }
    add(0, 20_000, before)
    const unchanged = held.nearest(before, 3)
    add(20_000, 20_100, before)
    expect(placesIn(await unchanged)).toEqual([19_997, 19_998, 19_999])
    expect(placesIn(await held.nearest(before, 3))).toEqual([20_097, 20_098, 20_099])
    const asked = Array.from({ length: 5 }, () => held.nearest(before, 3))
    held.cut(10_000n)
    add(10_000, 20_000, after)
    // Whole before the cut, or whole after it.
    const whole = [
      [20_097, 20_098, 20_099],
      [9_997, 9_998, 9_999],
    ]
    for (const near of asked) expect(whole).toContainEqual(placesIn(await near))
    expect(placesIn(await held.nearest(before, 3))).toEqual(whole[1])
    const last = held.nearest(after, 3)
    held.clear()
    add(0, 10, after)
    expect([
      [19_997, 19_998, 19_999],
      [7, 8, 9],
    ]).toContainEqual(placesIn(await last))
    expect(placesIn(await held.nearest(after, 3))).toEqual([7, 8, 9])
  })

  test('when the thread beside this one ends, this one goes on alone', async () => {
    const held = createHeldVectors(0)
    const vector = vectorOf('to:1')
    for (let row = 0; row < 100; row += 1) held.add({ place: row, block: row, tag: 0 }, vector)
    // Nobody waits until it is there.
    expect(placesIn(await held.nearest(vector, 2))).toEqual([98, 99])
    await held.startThread()
    const asked = [held.nearest(vector, 2), held.nearest(vector, 2)]
    const closed = held.close()
    for (const near of asked) expect(placesIn(await near)).toEqual([98, 99])
    await closed
    expect(placesIn(await held.nearest(vector, 2))).toEqual([98, 99])
  })

  test('rows come in their order, and what is told of one that was reserved is of its block', async () => {
    const held = createHeldVectors()
    const vector = vectorOf('to:1')
    held.reserve(Float64Array.of(3, 5, 8), Float64Array.of(1, 1, 2))
    expect(held.fill({ place: 5, block: 1, tag: 7 }, vector)).toBe(true)
    expect(held.fill({ place: 4, block: 1, tag: 7 }, vector)).toBe(false)
    expect(() => held.fill({ place: 8, block: 1, tag: 7 }, vector)).toThrow('row 8 of block 2, got block 1')
    expect(placesIn(await held.nearest(vector, 1))).toEqual([5])
    expect(held.at(5)?.block).toBe(1)
    for (const [at, component] of held.at(5)!.vector.entries()) expect(component).toBeCloseTo(vector[at]!, 6)
    expect(held.at(4)).toBeUndefined()
    expect(placesIn(await held.nearest(vector, 3, { test: (tag) => tag === 7 }))).toEqual([5])
    for (const position of [
      { place: 8, block: 2, tag: 0 },
      { place: 9, block: 1, tag: 0 },
    ])
      expect(() => held.add(position, vector)).toThrow(RangeError)
    held.cut(2n)
    held.add({ place: 9, block: 2, tag: 0 }, vector)
    expect([held.size(), held.newest(), held.lastPlace()]).toEqual([3, 2, 9])
  })

  test('of many as near the newest come', async () => {
    const held = createHeldVectors()
    const same = vectorOf('to:1')
    for (let row = 0; row < 10_000; row += 1)
      held.add({ place: row, block: row, tag: 0 }, row % 2 === 0 ? same : vectorOf('to:2'))
    expect(placesIn(await held.nearest(same, 3))).toEqual([9_994, 9_996, 9_998])
    held.forget(9_000n)
    expect(held.size()).toBe(10_000 - 8_192)
    held.cut(9_998n)
    expect(placesIn(await held.nearest(same, 2))).toEqual([9_994, 9_996])
    held.clear()
    expect(await held.nearest(same, 2)).toEqual([])
  })
})
