import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { embedTransaction } from '../../../../vector/embed/embedTransaction.ts'
import { hasOneOf } from '../../../../vector/filter/rowCondition.ts'
import { createHeldRows, type StoredVector, type StoredVectors } from '../../../../vector/held/heldRows.ts'
import type { NearPlace } from '../../../../vector/held/heldVectors.ts'
import type { RowIndex } from '../../../../vector/rows/rowIndex.ts'
import { storedTransaction } from '../../../../vector/rows/storedRows.ts'
import type { TransactionRow } from '../../../../vector/types.ts'
import { openRowsInMemory } from '../openRowsInMemory.ts'
import { blockEntry, blockOf, placed } from '../support.ts'

/** More than any test writes. */
const most = 100_000

/** As LanceDB reads what was written up to now: a few rows at a time, the last ones first. */
function storedIn(chain: () => readonly StoredVector[]): StoredVectors {
  async function* vectors(after: bigint, upTo: bigint) {
    const wanted = chain().filter(({ block }) => block > after && block <= upTo)
    for (let end = wanted.length; end > 0; end -= 7) yield wanted.slice(Math.max(0, end - 7), end)
  }
  async function* positions(after: bigint, upTo: bigint) {
    for await (const batch of vectors(after, upTo))
      yield {
        places: Float64Array.from(batch, ({ place }) => place),
        blocks: Float64Array.from(batch, ({ block }) => block),
      }
  }
  return { positions, vectors }
}

const storedVector = (place: number, row: TransactionRow): StoredVector => ({
  place,
  block: Number(row.blockNumber),
  tags: row,
  vector: embedTransaction(row),
})

const anything = embedTransaction(blockEntry(1, 1).rows[0]!)
type Held = ReturnType<typeof createHeldRows>
const placesIn = (near: readonly NearPlace[] | undefined) => new Set(near?.map(({ place }) => place))
const placesOf = async (held: Held) => placesIn(await held.vectors()?.nearest(anything, 1e6))

function apply(rows: RowIndex, held: Held, number: number, count: number, branch = 'a') {
  const added = placed(blockEntry(number, count, branch).rows)
  rows.apply({
    ...{ from: BigInt(number), lowest: undefined, removePatterns: [], upsertPatterns: [] },
    transactions: added.map(({ place, row }) => ({ place, row: storedTransaction(row) })),
    reached: blockOf(number, branch),
  })
  held.cut(BigInt(number))
  held.applied(added)
  return added
}

describe('rows searched in memory', () => {
  test('every row is among them or in the index, through undone blocks, indexings and openings', async () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ apply: fc.integer({ min: 0, max: 40 }) }) },
      { weight: 2, arbitrary: fc.record({ back: fc.integer({ min: 1, max: 6 }) }) },
      { weight: 2, arbitrary: fc.constantFrom('begin', 'end', 'fail') },
      { weight: 1, arbitrary: fc.constantFrom('open', 'wait') },
    )
    const mosts = fc.constantFrom(100, 300, most)
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 60 }),
        mosts,
        fc.boolean(),
        async (steps, most, isAtOnce) => {
          const rows = openRowsInMemory()
          // The index, as LanceDB keeps it: rows by the place they were written at.
          let chain: StoredVector[] = []
          let index: Set<number> | undefined
          let jobs: { end: (isIndexed: boolean) => void; holds: Set<number> }[] = []
          let number = 0
          let mostEver = 0
          const open = () =>
            createHeldRows(rows, {
              ...{ hasIndex: index !== undefined, most },
              ...(isAtOnce ? { stored: storedIn(() => chain) } : {}),
            })
          let held = open()
          for (const each of steps) {
            if (each === 'begin') {
              // Compaction waits for its turn, so there is one at a time.
              if (jobs.length === 0)
                jobs.push({
                  end: held.indexing(BigInt(number)),
                  holds: new Set(chain.map(({ place }) => place)),
                })
            } else if (each === 'end') {
              const job = jobs.shift()
              if (job) index = job.holds
              job?.end(true)
            } else if (each === 'fail') jobs.shift()?.end(false)
            else if (each === 'open') {
              await held.stop()
              await held.loaded
              jobs = []
              held = open()
            } else if (each === 'wait') await held.loaded
            else {
              if ('back' in each) number = Math.max(0, number - each.back)
              number += 1
              chain = chain.filter(({ block }) => block < number)
              const added = apply(rows, held, number, 'apply' in each ? each.apply : 3)
              for (const { place, row } of added) chain.push(storedVector(place, row))
              mostEver = Math.max(mostEver, chain.length)
            }
            if (!held.vectors()) continue
            const places = await placesOf(held)
            for (const { place } of chain)
              expect(places.has(place) || (!held.isAll() && index?.has(place))).toBe(true)
            for (const place of places) expect(chain.some((row) => row.place === place)).toBe(true)
            expect(places.size).toBeLessThanOrEqual(most)
          }
          await held.loaded
          if (mostEver <= most) {
            expect(held.vectors()).toBeDefined()
            expect(held.isAll()).toBe(true)
          }
          rows.close()
        },
      ),
      { numRuns: 200 },
    )
  })

  test('of more than may be held those are let go that an index has; without one they are left to LanceDB', async () => {
    const rows = openRowsInMemory()
    const options = { hasIndex: true, most: 18_000 }
    const held = createHeldRows(rows, { ...options, hasIndex: false })
    await held.loaded
    for (let number = 1; number <= 5; number += 1) apply(rows, held, number, 4_000)
    expect(held.vectors()).toBeUndefined()
    const end = held.indexing(3n)
    apply(rows, held, 6, 10)
    end(true)
    await expect.poll(() => held.vectors()?.size()).toBe(2 * 4_000 + 10)
    expect(held.isAll()).toBe(false)
    const again = createHeldRows(rows, options)
    expect(again.vectors()).toBeUndefined()
    await again.loaded
    expect(await placesOf(again)).toEqual(await placesOf(held))
    // The index reaches as far as it did: what is older is not held any more.
    for (let number = 7; number <= 8; number += 1) apply(rows, again, number, 4_000)
    expect(again.vectors()?.size()).toBe(4 * 4_000 + 10)
    again.indexing(7n)(true)
    expect(again.isAll()).toBe(false)
    // Chunks go whole.
    expect((await placesOf(again)).size).toBeLessThan(4 * 4_000 + 10)
    rows.close()
  })

  test('what is read at once and comes to nothing is read one by one', async () => {
    const rows = openRowsInMemory()
    const held = createHeldRows(rows, { hasIndex: false, most })
    await held.loaded
    const added = apply(rows, held, 1, 700)
    const written = added.map(({ place, row }) => storedVector(place, row))
    const whole = storedIn(() => written)
    const broken: Record<string, () => AsyncGenerator<readonly StoredVector[]>> = {
      async *'cut short'() {
        yield written.slice(0, 1)
      },
      async *failing() {
        yield []
        throw new Error('no such file')
      },
      async *'of another block'() {
        yield written.map((row) => ({ ...row, block: 2 }))
      },
    }
    for (const vectors of Object.values(broken)) {
      const again = createHeldRows(rows, { hasIndex: false, most, stored: { ...whole, vectors } })
      await again.loaded
      expect(await placesOf(again)).toEqual(await placesOf(held))
      expect(await again.nearest(anything, 5)).toEqual(await held.nearest(anything, 5))
      expect(again.bytes()).toBeGreaterThan(700 * 128)
    }
    rows.close()
  })

  test('of an index that nobody knows the reach of nothing is said, until it is made again', async () => {
    const rows = openRowsInMemory()
    const written = createHeldRows(rows, { hasIndex: false, most })
    await written.loaded
    apply(rows, written, 1, 10)
    const held = createHeldRows(rows, { hasIndex: true, most: 5 })
    await held.loaded
    expect(held.vectors()).toBeUndefined()
    expect(held.isKnown()).toBe(false)
    held.indexing(1n)(true)
    await held.loaded
    apply(rows, held, 2, 3)
    await expect.poll(() => held.vectors()?.size()).toBe(3)
    rows.close()
  })

  test('those that fulfil conditions are listed while they are few', async () => {
    const rows = openRowsInMemory()
    const held = createHeldRows(rows, { hasIndex: false, most })
    await held.loaded
    const first = apply(rows, held, 1, 6)
    const { outcome } = first[0]!.row
    const expected = (added: typeof first) =>
      new Set(added.filter(({ row }) => row.outcome === outcome).map(({ place }) => place))
    const where = [`\`outcome\` = '${outcome}'`]
    expect(held.list(where)).toEqual(expected(first))
    expect(placesIn(held.nearestAmong(anything, 10, expected(first)))).toEqual(expected(first))
    held.indexing(1n)(true)
    const second = apply(rows, held, 2, 6)
    expect(held.list(where)).toEqual(expected([...first, ...second]))
    apply(rows, held, 3, 4_001)
    expect(held.list(['TRUE'])).toBeUndefined()
    rows.close()
  })

  test('of rows tagged in more ways than are told apart, conditions are left to LanceDB', async () => {
    const rows = openRowsInMemory()
    const held = createHeldRows(rows, { hasIndex: false, most })
    await held.loaded
    const isOdd = hasOneOf('outcome', ['outcome 1', 'outcome 3', 'outcome 1000'])
    const tagged = (number: number, count: number) =>
      placed(
        blockEntry(number, count).rows.map((row, index) => ({
          ...row,
          outcome: `outcome ${index + 256 * (number - 1)}`,
        })),
      )
    const first = tagged(1, 255)
    held.applied(first)
    expect(placesIn(await held.nearest(anything, 1000, isOdd))).toEqual(
      new Set([first[1]!.place, first[3]!.place]),
    )
    held.applied(tagged(2, 1))
    expect(await held.nearest(anything, 1000, isOdd)).toBeUndefined()
    expect(await held.nearest(anything, 1000)).toHaveLength(256)
    rows.close()
  })

  test('rows that cannot be read are left to LanceDB', async () => {
    const rows = openRowsInMemory()
    const after = () => {
      throw new Error('database disk image is malformed')
    }
    const held = createHeldRows({ ...rows, after }, { hasIndex: false, most })
    await held.loaded
    apply(rows, held, 1, 3)
    expect(await held.nearest(anything, 1)).toBeUndefined()
    rows.close()
  })
})
