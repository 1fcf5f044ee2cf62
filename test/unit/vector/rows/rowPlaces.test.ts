import { describe, expect, test } from 'vitest'
import { createRowPlaces, placeOf } from '../../../../vector/rows/rowPlaces.ts'
import { encodeTransactions } from '../../../../vector/store/encodeRows.ts'
import { openTables } from '../../../../vector/store/openTables.ts'
import { blockEntry, chainId, temporaryDirectory } from '../support.ts'

async function openTransactions(directory: string) {
  const caches = { indexCacheBytes: 1 << 24, metadataCacheBytes: 1 << 24 }
  const { connection, tables } = await openTables({ directory, chainId, readOnly: false, ...caches })
  const { transactions } = tables
  return {
    transactions,
    append: async (number: number, count: number) => {
      const { rows } = blockEntry(number, count)
      await transactions.add(encodeTransactions(rows, chainId))
      return { rows, from: BigInt(number) }
    },
    /** Of all rows, by id, as the table says. */
    places: async () => {
      const rows: Record<string, unknown>[] = await transactions.query().select(['id']).withRowId().toArray()
      return new Map(rows.map((row) => [row.id, placeOf(row)]))
    },
    [Symbol.dispose]: () => connection.close(),
  }
}

describe('places of rows', () => {
  test('are those of the table, through undone blocks, other writers and compaction', async () => {
    await using directory = await temporaryDirectory()
    using open = await openTransactions(directory.path)
    let places = createRowPlaces(open.transactions)
    const known = new Map<string, number>()
    const check = async ({ rows, from }: Awaited<ReturnType<typeof open.append>>) => {
      for (const [index, place] of (await places.of(rows, from)).entries()) known.set(rows[index]!.id, place)
      expect(await open.places()).toEqual(known)
    }
    await check(await open.append(1, 5))
    await check(await open.append(2, 3))
    await check(await open.append(3, 0))
    // Numbers are not used again.
    await open.transactions.delete('`blockNumber` >= 2')
    for (const { id } of blockEntry(2, 3).rows) known.delete(id)
    await check(await open.append(2, 4))
    // Rows that somebody else appended and took back: the numbers go on elsewhere.
    await open.append(9, 6)
    await open.transactions.delete('`blockNumber` >= 9')
    await check(await open.append(3, 2))
    places = createRowPlaces(open.transactions)
    await check(await open.append(4, 7))
    await open.transactions.optimize()
    await check(await open.append(5, 2))
    expect(new Set(known.values()).size).toBe(known.size)
  })

  test('of a row that is not there are not made up', async () => {
    await using directory = await temporaryDirectory()
    using open = await openTransactions(directory.path)
    const { rows, from } = await open.append(1, 2)
    const places = createRowPlaces(open.transactions)
    const more = blockEntry(2, 2).rows
    await expect(places.of([...rows, ...more], from)).rejects.toThrow(more[0]!.id)
    await places.of(rows, from)
    await expect(places.of(more, 2n)).rejects.toThrow(more[0]!.id)
  })
})
