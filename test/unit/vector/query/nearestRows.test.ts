import pino from 'pino'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { embedTransaction } from '../../../../vector/embed/embedTransaction.ts'
import { blocksBetween, hasOneOf, type RowCondition } from '../../../../vector/filter/rowCondition.ts'
import { createHeldRows, type HeldRows } from '../../../../vector/held/heldRows.ts'
import type { StructuredLeg } from '../../../../vector/query/planLegs.ts'
import { nearestRows, readLate } from '../../../../vector/query/structuredLegs.ts'
import { openRows } from '../../../../vector/rows/openRows.ts'
import type { RowKey } from '../../../../vector/rows/rowSchema.ts'
import { openTables } from '../../../../vector/store/openTables.ts'
import { addressOf, blockOf, chainId, openIn, temporaryDirectory, transactionOf } from '../support.ts'

const rowsPerBlock = 100
const blocks = 30
const all = Array.from({ length: blocks }, (_, number) =>
  Array.from({ length: rowsPerBlock }, (_, index) =>
    transactionOf(blockOf(number), index, {
      to: addressOf(`contract ${(number * 7 + index) % 90}`),
      from: addressOf(`sender ${index % 13}`),
      calldataBytes: 68 + 32 * (index % 4),
      // One of every thousand.
      svm: (number * rowsPerBlock + index) % 1000 === 999,
    }),
  ),
)

function distance(a: Float32Array, b: Float32Array): number {
  return 1 - a.reduce((sum, value, at) => sum + value * b[at]!, 0)
}

describe('the nearest rows', () => {
  const resources = new AsyncDisposableStack()
  let leg: StructuredLeg
  let held: HeldRows

  beforeAll(async () => {
    const directory = resources.use(await temporaryDirectory())
    {
      await using store = await openIn(directory.path)
      await store.apply(
        all.map((rows, number) => ({ kind: 'transactions' as const, block: blockOf(number), rows })),
      )
    }
    const caches = { indexCacheBytes: 1 << 24, metadataCacheBytes: 1 << 24 }
    const options = { directory: directory.path, chainId, readOnly: true, ...caches }
    const { connection, tables } = await openTables(options)
    const rows = await openRows(
      options,
      tables,
      { asOf: undefined, finalized: undefined },
      {
        logger: pino({ level: 'silent' }),
      },
    )
    resources.defer(() => {
      rows.close()
      connection.close()
    })
    const inMemory = createHeldRows(rows, { hasIndex: false, most: 1_000_000 })
    await inMemory.loaded
    held = inMemory
    leg = {
      ...{ name: 'transactions', table: tables.transactions, rows, written: 'blockNumber' },
      ...{ isLookedUp: () => false, where: [], exact: undefined, newest: BigInt(blocks), held: undefined },
    }
  })
  afterAll(() => resources.disposeAsync())

  const vector = embedTransaction(transactionOf(blockOf(3), 5, { to: addressOf('contract 26') }))
  const exact = (fits: (row: (typeof all)[number][number]) => boolean, limit: number) =>
    all
      .flat()
      .filter(fits)
      .map((row) => distance(vector, embedTransaction(row)))
      .sort((a, b) => a - b)
      .slice(0, limit)

  test.each([
    ['of all', [], undefined, () => true],
    [
      'of a half',
      ['`blockNumber` >= 15'],
      blocksBetween(15n, 1000n),
      (row: { blockNumber: bigint }) => row.blockNumber >= 15n,
    ],
    [
      'of so few that an index has to say where they are',
      ['`svm` = true'],
      hasOneOf('svm', [true]),
      (row: { svm: boolean }) => row.svm,
    ],
    ['of none', ["`route` = 'nothing'"], hasOneOf('route', ['nothing']), () => false],
  ] as const)('in memory and by LanceDB are those that are: %s', async (_, where, condition, fits) => {
    const expected = exact(fits as () => boolean, 10)
    const { nearest, nearestAmong, at, isAll, list } = held
    const inMemory = (told: RowCondition | undefined, isExact: boolean, listed?: typeof list) => ({
      nearest: async (vector: Float32Array, limit: number) =>
        (await nearest(vector, limit, told))?.map(({ place }) => place),
      nearestAmong: (vector: Float32Array, limit: number, places: ReadonlySet<RowKey>) =>
        nearestAmong(vector, limit, places)?.map(({ place }) => place),
      nearestHeld: async (vector: Float32Array, limit: number) =>
        isExact
          ? (await nearest(vector, limit, told))?.map((row) => {
              const { block, vector } = at(row.place)!
              return { ...row, vector, writtenAt: BigInt(block) }
            })
          : undefined,
      ...{ isAll, isExact, list: listed },
    })
    const ways = [
      inMemory(condition, true),
      inMemory(undefined, where.length === 0),
      ...(where.length === 0 ? [] : [inMemory(undefined, false, list)]),
      undefined,
    ]
    for (const held of ways) {
      const found = await nearestRows({ ...leg, where, held }, vector, 10)
      expect(found).toHaveLength(expected.length)
      for (const [place, row] of found.entries()) expect(row.distance).toBeCloseTo(expected[place]!, 5)
      // What was not read yet is what is read else.
      const late = await nearestRows({ ...leg, where, held }, vector, 10, false)
      const read = readLate(
        leg.rows,
        late.map((found) => ({ found })),
      ).map(({ found }) => found)
      expect(read.map(({ distance }) => distance)).toEqual(late.map(({ distance }) => distance))
      for (const [place, row] of read.entries()) {
        expect(row.distance).toBeCloseTo(expected[place]!, 5)
        expect(row).toMatchObject({ id: expect.stringMatching(/^[0-9a-f]{32}$/), table: 'transactions' })
      }
    }
  })
})
