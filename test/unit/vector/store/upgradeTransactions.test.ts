import { cp, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { connect } from '@lancedb/lancedb'
import { describe, expect, test } from 'vitest'
import { rowsFile } from '../../../../vector/rows/openRows.ts'
import { encodeTransactions } from '../../../../vector/store/encodeRows.ts'
import { earlierSchema } from '../../../../vector/store/schema.ts'
import {
  blockEntry,
  blockOf,
  chainId,
  everything,
  indexRows,
  openIn,
  temporaryDirectory,
} from '../support.ts'

const history = [1, 2, 3, 4].map((number) => blockEntry(number, 6))

/** A folder as it was made before rows kept their row ids, and what is in it. */
async function makeEarlier(directory: string) {
  {
    await using store = await openIn(directory)
    await store.apply(history)
  }
  const rows = indexRows(directory)
  const connection = await connect(directory)
  await connection.dropTable('transactions')
  const table = await connection.createEmptyTable('transactions', earlierSchema(chainId))
  // As blocks come and go.
  await table.add(encodeTransactions(blockEntry(9, 5).rows, chainId))
  for (const { rows } of history) await table.add(encodeTransactions(rows, chainId))
  await table.delete('`blockNumber` = 9')
  connection.close()
  for (const suffix of ['', '-wal', '-shm']) await rm(`${rowsFile(directory)}${suffix}`, { force: true })
  return rows
}

const table = (directory: string, name: string) => join(directory, `${name}.lance`)

async function copyWhole(directory: string) {
  await using other = await temporaryDirectory()
  await cp(directory, other.path, { recursive: true })
  await (await openIn(other.path)).close()
  await cp(table(other.path, 'transactions'), table(directory, 'transactions--copy'), { recursive: true })
}

describe('a folder of before', () => {
  test('is for no reader until a writer has opened it', async () => {
    await using directory = await temporaryDirectory()
    await makeEarlier(directory.path)
    const reading = openIn(directory.path, { readOnly: true })
    await expect(reading).rejects.toMatchObject({ code: 'STORE_MISMATCH' })
    await expect(reading).rejects.toThrow('earlier version')
  })

  test.each([
    ['as it was left', async () => undefined],
    [
      'where a copy was cut short',
      async (directory: string) => {
        const connection = await connect(directory)
        const copy = await connection.createEmptyTable('transactions--copy', earlierSchema(chainId))
        await copy.add(encodeTransactions(blockEntry(1, 2).rows, chainId))
        connection.close()
      },
    ],
    [
      'where the copy was about to take its place',
      async (directory: string) => {
        await copyWhole(directory)
        await rename(table(directory, 'transactions'), table(directory, 'transactions--original'))
      },
    ],
    [
      'where the copy had just taken its place',
      async (directory: string) => {
        await copyWhole(directory)
        await rename(table(directory, 'transactions'), table(directory, 'transactions--original'))
        await rename(table(directory, 'transactions--copy'), table(directory, 'transactions'))
      },
    ],
  ])('%s has every row once, and goes on', async (_, leave) => {
    await using directory = await temporaryDirectory()
    const rows = await makeEarlier(directory.path)
    await leave(directory.path)
    const question = { ...everything, query: 'kind:transaction' }
    {
      await using store = await openIn(directory.path)
      expect((await store.stats()).transactions.rows).toBe(24)
      expect(indexRows(directory.path)).toEqual(rows)
      expect((await store.search(question)).items).toHaveLength(24)
      await store.apply([
        { kind: 'undo', blocks: [blockOf(4)] },
        blockEntry(4, 2, 'b'),
        blockEntry(5, 1, 'b'),
      ])
    }
    await using store = await openIn(directory.path)
    expect((await store.search(question)).items).toHaveLength(21)
    expect((await readdir(directory.path)).filter((name) => name.includes('transactions'))).toEqual([
      'transactions.lance',
    ])
  })
})
