import { existsSync } from 'node:fs'
import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { isDamaged } from '../../../../vector/rows/openRows.ts'
import { createRowIndex } from '../../../../vector/rows/rowIndex.ts'
import { createIndices, createTables } from '../../../../vector/rows/rowSchema.ts'
import { createRowWriter } from '../../../../vector/rows/rowWriter.ts'
import { storedTransaction } from '../../../../vector/rows/storedRows.ts'
import { blockEntry, blockOf, placed, temporaryDirectory } from '../support.ts'

function changeOf(number: number, count: number) {
  return {
    from: BigInt(number),
    lowest: BigInt(number),
    removePatterns: [],
    upsertPatterns: [],
    transactions: placed(blockEntry(number, count).rows.map(storedTransaction)),
    reached: blockOf(number),
  }
}

function openWriter(directory: string) {
  const file = join(directory, 'rows.sqlite')
  const database = new DatabaseSync(file)
  database.exec('PRAGMA journal_mode = WAL')
  for (const statement of [...createTables, ...createIndices]) database.exec(statement)
  database.exec(`INSERT INTO reached("chainId") VALUES ('1337')`)
  const rows = createRowIndex(database)
  const writer = createRowWriter({ file, chainId: 1337n, epochBlocks: 5, batchRows: 1000 })
  return { file, rows, writer }
}

describe('row writer', () => {
  test('what it has written is there to be read, by block and epoch', async () => {
    await using directory = await temporaryDirectory()
    const { rows, writer } = openWriter(directory.path)
    for (let number = 1; number <= 12; number += 1) await writer.apply(changeOf(number, 3))
    expect(rows.reached()).toEqual(blockOf(12))
    expect(rows.count(12n)).toBe(36)
    expect(await writer.takeIn(3n)).toEqual({ hasMore: false, next: { from: 0n, end: 4n } })
    let taken = await writer.takeIn(12n)
    while (taken.hasMore) taken = await writer.takeIn(12n)
    expect(taken).toEqual({ hasMore: false, next: { from: 10n, end: 14n } })
    expect(rows.graph.reached()).toBe(9n)
    await writer.setIndexed(7n)
    expect(rows.indexed()).toBe(7n)
    // What goes takes the epoch it is of, and what the index has of it.
    await writer.apply({ ...changeOf(6, 1), from: 6n })
    expect([rows.graph.reached(), rows.indexed()]).toEqual([4n, 5n])
    const { edges, entities } = rows.graph.counts()
    await writer.takeIn(20n)
    rows.close()
    await writer.close()
    expect(edges * entities).toBeGreaterThan(0)
  })

  test('rejects with what SQLite throws, writes nothing of it, and goes on', async () => {
    await using directory = await temporaryDirectory()
    const { rows, writer } = openWriter(directory.path)
    const broken = { ...changeOf(1, 2), transactions: [{ place: 1, row: { id: 'x' } }] as never }
    await expect(writer.apply(broken)).rejects.toThrow()
    expect(rows.reached()).toBeUndefined()
    await writer.apply(changeOf(1, 2))
    expect(rows.count(1n)).toBe(2)
    const last = writer.apply(changeOf(2, 2))
    await writer.close()
    await last
    expect(rows.count(2n)).toBe(4)
    await expect(writer.apply(changeOf(3, 2))).rejects.toThrow('closed')
    rows.close()
  })

  test('a file that is gone is not made empty', async () => {
    await using directory = await temporaryDirectory()
    const { file, rows, writer } = openWriter(directory.path)
    rows.close()
    await rename(file, `${file}.aside`)
    await expect(writer.apply(changeOf(1, 1))).rejects.toThrow('no row index')
    expect(existsSync(file)).toBe(false)
    // The next call starts another thread.
    await rename(`${file}.aside`, file)
    await writer.apply(changeOf(1, 1))
    await writer.close()
  })

  test('a file that another program has locked is not taken for damaged', async () => {
    await using directory = await temporaryDirectory()
    const { file, rows, writer } = openWriter(directory.path)
    const other = new DatabaseSync(file)
    other.exec('BEGIN IMMEDIATE')
    const locked = await writer.apply(changeOf(1, 1)).catch((error: unknown) => error)
    expect(locked).toMatchObject({ errcode: 5 })
    expect(isDamaged(locked)).toBe(false)
    other.exec('ROLLBACK')
    other.close()
    await writer.apply(changeOf(1, 1))
    expect(rows.count(1n)).toBe(1)
    rows.close()
    await writer.close()
  })
})
