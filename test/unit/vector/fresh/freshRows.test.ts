import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { embedTransaction } from '../../../../vector/embed/embedTransaction.ts'
import { createFreshRows } from '../../../../vector/fresh/freshRows.ts'
import { createRowIndex, type RowIndex } from '../../../../vector/rows/rowIndex.ts'
import { createIndices, createTables } from '../../../../vector/rows/rowSchema.ts'
import { storedTransaction } from '../../../../vector/rows/storedRows.ts'
import { blockEntry, blockOf, placed } from '../support.ts'

function openRowsInMemory(): RowIndex {
  const database = new DatabaseSync(':memory:')
  for (const statement of [...createTables, ...createIndices]) database.exec(statement)
  database.exec(`INSERT INTO reached("chainId") VALUES ('1337')`)
  return createRowIndex(database)
}

const anything = embedTransaction(blockEntry(1, 1).rows[0]!)
type Fresh = ReturnType<typeof createFreshRows>
const placesOf = (fresh: Fresh) => new Set(fresh.vectors()?.nearest(anything, 1e6))

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

describe('fresh rows', () => {
  test('every row is among them or in the index, through undone blocks, indexings and openings', async () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ apply: fc.integer({ min: 0, max: 40 }) }) },
      { weight: 2, arbitrary: fc.record({ back: fc.integer({ min: 1, max: 6 }) }) },
      { weight: 2, arbitrary: fc.constantFrom('begin', 'end', 'fail') },
      { weight: 1, arbitrary: fc.constantFrom('open', 'wait') },
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const rows = openRowsInMemory()
        // The index, as LanceDB keeps it: rows by the place they were written at.
        let chain: { place: number; block: number }[] = []
        let index: Set<number> | undefined
        let jobs: { end: (isIndexed: boolean) => void; holds: Set<number> }[] = []
        let number = 0
        let fresh = createFreshRows(rows, false)
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
            fresh = createFreshRows(rows, index !== undefined)
          } else if (each === 'wait') await fresh.loaded
          else {
            if ('back' in each) number = Math.max(0, number - each.back)
            number += 1
            chain = chain.filter(({ block }) => block < number)
            const added = apply(rows, fresh, number, 'apply' in each ? each.apply : 3)
            for (const { place } of added) chain.push({ place, block: number })
          }
          if (!fresh.vectors()) continue
          const places = placesOf(fresh)
          for (const { place } of chain) expect(index?.has(place) || places.has(place)).toBe(true)
          for (const place of places) expect(chain.some((row) => row.place === place)).toBe(true)
          expect(fresh.isAll()).toBe(index === undefined || rows.indexed() === -1n)
        }
        await fresh.loaded
        expect(fresh.vectors()).toBeDefined()
        rows.close()
      }),
      { numRuns: 150 },
    )
  })

  test('more than are kept are left to LanceDB, until an index has most of them', async () => {
    const rows = openRowsInMemory()
    const fresh = createFreshRows(rows, false)
    await fresh.loaded
    for (let number = 1; number <= 34; number += 1) apply(rows, fresh, number, 4_000)
    expect(fresh.vectors()).toBeUndefined()
    const end = fresh.indexing(30n)
    apply(rows, fresh, 35, 10)
    end(true)
    await expect.poll(() => fresh.vectors()?.size()).toBe(4 * 4_000 + 10)
    expect(fresh.isAll()).toBe(false)
    const again = createFreshRows(rows, true)
    expect(again.vectors()).toBeUndefined()
    await again.loaded
    expect(placesOf(again)).toEqual(placesOf(fresh))
    rows.close()
  })

  test('of an index that nobody knows the reach of nothing is said, until it is made again', async () => {
    const rows = openRowsInMemory()
    const fresh = createFreshRows(rows, true)
    await fresh.loaded
    apply(rows, fresh, 1, 3)
    expect(fresh.vectors()).toBeUndefined()
    fresh.indexing(1n)(true)
    await fresh.loaded
    apply(rows, fresh, 2, 3)
    await expect.poll(() => fresh.vectors()?.size()).toBe(3)
    rows.close()
  })

  test('those that fulfil conditions are listed while they are few, of those that the index lacks', async () => {
    const rows = openRowsInMemory()
    const fresh = createFreshRows(rows, false)
    await fresh.loaded
    const first = apply(rows, fresh, 1, 6)
    const { outcome } = first[0]!.row
    const expected = (added: typeof first) =>
      new Set(added.filter(({ row }) => row.outcome === outcome).map(({ place }) => place))
    const where = [`\`outcome\` = '${outcome}'`]
    expect(fresh.list(where)).toEqual(expected(first))
    expect(new Set(fresh.nearest(anything, 10, expected(first)))).toEqual(expected(first))
    fresh.indexing(1n)(true)
    await fresh.loaded
    expect(fresh.list(where)).toEqual(new Set())
    const second = apply(rows, fresh, 2, 6)
    expect(fresh.list(where)).toEqual(expected(second))
    apply(rows, fresh, 3, 4_001)
    expect(fresh.list([])).toBeUndefined()
    rows.close()
  })

  test('rows that cannot be read are left to LanceDB', async () => {
    const rows = openRowsInMemory()
    const after = () => {
      throw new Error('database disk image is malformed')
    }
    const fresh = createFreshRows({ ...rows, after }, false)
    await fresh.loaded
    apply(rows, fresh, 1, 3)
    expect(fresh.nearest(anything, 1)).toBeUndefined()
    rows.close()
  })
})
