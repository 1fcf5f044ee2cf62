import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { embedTransaction } from '../../../../vector/embed/embedTransaction.ts'
import { hasOneOf } from '../../../../vector/filter/rowCondition.ts'
import { createFreshRows, type StoredVector, type StoredVectors } from '../../../../vector/fresh/freshRows.ts'
import type { NearPlace } from '../../../../vector/fresh/freshVectors.ts'
import { createRowIndex, type RowIndex } from '../../../../vector/rows/rowIndex.ts'
import { createIndices, createTables } from '../../../../vector/rows/rowSchema.ts'
import { storedTransaction } from '../../../../vector/rows/storedRows.ts'
import type { TransactionRow } from '../../../../vector/types.ts'
import { blockEntry, blockOf, placed } from '../support.ts'

function openRowsInMemory(): RowIndex {
  const database = new DatabaseSync(':memory:')
  for (const statement of [...createTables, ...createIndices]) database.exec(statement)
  database.exec(`INSERT INTO reached("chainId") VALUES ('1337')`)
  return createRowIndex(database)
}

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
type Fresh = ReturnType<typeof createFreshRows>
const placesIn = (near: readonly NearPlace[] | undefined) => new Set(near?.map(({ place }) => place))
const placesOf = (fresh: Fresh) => placesIn(fresh.vectors()?.nearest(anything, 1e6))

function apply(rows: RowIndex, fresh: Fresh, number: number, count: number, branch = 'a') {
  const added = placed(blockEntry(number, count, branch).rows)
  rows.apply({
    ...{ from: BigInt(number), lowest: undefined, removePatterns: [], upsertPatterns: [] },
    transactions: added.map(({ place, row }) => ({ place, row: storedTransaction(row) })),
    reached: blockOf(number, branch),
  })
  fresh.cut(BigInt(number))
  fresh.applied(added)
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
            createFreshRows(rows, {
              ...{ hasIndex: index !== undefined, most },
              ...(isAtOnce ? { stored: storedIn(() => chain) } : {}),
            })
          let fresh = open()
          for (const each of steps) {
            if (each === 'begin') {
              // Compaction waits for its turn, so there is one at a time.
              if (jobs.length === 0)
                jobs.push({
                  end: fresh.indexing(BigInt(number)),
                  holds: new Set(chain.map(({ place }) => place)),
                })
            } else if (each === 'end') {
              const job = jobs.shift()
              if (job) index = job.holds
              job?.end(true)
            } else if (each === 'fail') jobs.shift()?.end(false)
            else if (each === 'open') {
              fresh.stop()
              await fresh.loaded
              jobs = []
              fresh = open()
            } else if (each === 'wait') await fresh.loaded
            else {
              if ('back' in each) number = Math.max(0, number - each.back)
              number += 1
              chain = chain.filter(({ block }) => block < number)
              const added = apply(rows, fresh, number, 'apply' in each ? each.apply : 3)
              for (const { place, row } of added) chain.push(storedVector(place, row))
              mostEver = Math.max(mostEver, chain.length)
            }
            if (!fresh.vectors()) continue
            const places = placesOf(fresh)
            for (const { place } of chain)
              expect(places.has(place) || (!fresh.isAll() && index?.has(place))).toBe(true)
            for (const place of places) expect(chain.some((row) => row.place === place)).toBe(true)
            expect(places.size).toBeLessThanOrEqual(most)
          }
          await fresh.loaded
          if (mostEver <= most) {
            expect(fresh.vectors()).toBeDefined()
            expect(fresh.isAll()).toBe(true)
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
    const fresh = createFreshRows(rows, { ...options, hasIndex: false })
    await fresh.loaded
    for (let number = 1; number <= 5; number += 1) apply(rows, fresh, number, 4_000)
    expect(fresh.vectors()).toBeUndefined()
    const end = fresh.indexing(3n)
    apply(rows, fresh, 6, 10)
    end(true)
    await expect.poll(() => fresh.vectors()?.size()).toBe(2 * 4_000 + 10)
    expect(fresh.isAll()).toBe(false)
    const again = createFreshRows(rows, options)
    expect(again.vectors()).toBeUndefined()
    await again.loaded
    expect(placesOf(again)).toEqual(placesOf(fresh))
    // The index reaches as far as it did: what is older is not held any more.
    for (let number = 7; number <= 8; number += 1) apply(rows, again, number, 4_000)
    expect(again.vectors()?.size()).toBe(4 * 4_000 + 10)
    again.indexing(7n)(true)
    expect(again.isAll()).toBe(false)
    // Chunks go whole.
    expect(placesOf(again).size).toBeLessThan(4 * 4_000 + 10)
    rows.close()
  })

  test('what is read at once and comes to nothing is read one by one', async () => {
    const rows = openRowsInMemory()
    const fresh = createFreshRows(rows, { hasIndex: false, most })
    await fresh.loaded
    const added = apply(rows, fresh, 1, 700)
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
      const again = createFreshRows(rows, { hasIndex: false, most, stored: { ...whole, vectors } })
      await again.loaded
      expect(placesOf(again)).toEqual(placesOf(fresh))
      expect(again.nearest(anything, 5)).toEqual(fresh.nearest(anything, 5))
      expect(again.bytes()).toBeGreaterThan(700 * 128)
    }
    rows.close()
  })

  test('of an index that nobody knows the reach of nothing is said, until it is made again', async () => {
    const rows = openRowsInMemory()
    const written = createFreshRows(rows, { hasIndex: false, most })
    await written.loaded
    apply(rows, written, 1, 10)
    const fresh = createFreshRows(rows, { hasIndex: true, most: 5 })
    await fresh.loaded
    expect(fresh.vectors()).toBeUndefined()
    expect(fresh.isKnown()).toBe(false)
    fresh.indexing(1n)(true)
    await fresh.loaded
    apply(rows, fresh, 2, 3)
    await expect.poll(() => fresh.vectors()?.size()).toBe(3)
    rows.close()
  })

  test('those that fulfil conditions are listed while they are few', async () => {
    const rows = openRowsInMemory()
    const fresh = createFreshRows(rows, { hasIndex: false, most })
    await fresh.loaded
    const first = apply(rows, fresh, 1, 6)
    const { outcome } = first[0]!.row
    const expected = (added: typeof first) =>
      new Set(added.filter(({ row }) => row.outcome === outcome).map(({ place }) => place))
    const where = [`\`outcome\` = '${outcome}'`]
    expect(fresh.list(where)).toEqual(expected(first))
    expect(placesIn(fresh.nearestAmong(anything, 10, expected(first)))).toEqual(expected(first))
    fresh.indexing(1n)(true)
    const second = apply(rows, fresh, 2, 6)
    expect(fresh.list(where)).toEqual(expected([...first, ...second]))
    apply(rows, fresh, 3, 4_001)
    expect(fresh.list(['TRUE'])).toBeUndefined()
    rows.close()
  })

  test('of rows tagged in more ways than are told apart, conditions are left to LanceDB', async () => {
    const rows = openRowsInMemory()
    const fresh = createFreshRows(rows, { hasIndex: false, most })
    await fresh.loaded
    const isOdd = hasOneOf('outcome', ['outcome 1', 'outcome 3', 'outcome 1000'])
    const tagged = (number: number, count: number) =>
      placed(
        blockEntry(number, count).rows.map((row, index) => ({
          ...row,
          outcome: `outcome ${index + 256 * (number - 1)}`,
        })),
      )
    const first = tagged(1, 255)
    fresh.applied(first)
    expect(placesIn(fresh.nearest(anything, 1000, isOdd))).toEqual(
      new Set([first[1]!.place, first[3]!.place]),
    )
    fresh.applied(tagged(2, 1))
    expect(fresh.nearest(anything, 1000, isOdd)).toBeUndefined()
    expect(fresh.nearest(anything, 1000)).toHaveLength(256)
    rows.close()
  })

  test('rows that cannot be read are left to LanceDB', async () => {
    const rows = openRowsInMemory()
    const after = () => {
      throw new Error('database disk image is malformed')
    }
    const fresh = createFreshRows({ ...rows, after }, { hasIndex: false, most })
    await fresh.loaded
    apply(rows, fresh, 1, 3)
    expect(fresh.nearest(anything, 1)).toBeUndefined()
    rows.close()
  })
})
