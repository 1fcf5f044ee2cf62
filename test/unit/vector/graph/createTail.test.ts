import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { createTail, mostTailRows } from '../../../../vector/graph/createTail.ts'
import { rowsFile } from '../../../../vector/rows/openRows.ts'
import { createRowIndex } from '../../../../vector/rows/rowIndex.ts'
import { blockEntry, openIn, temporaryDirectory } from '../support.ts'

/** A store without epochs, and a tail over its transactions as they are on disk. */
async function withTail(run: (parts: Awaited<ReturnType<typeof open>>) => Promise<void>) {
  await using directory = await temporaryDirectory()
  const parts = await open(directory.path)
  try {
    await run(parts)
  } finally {
    parts.database.close()
    await parts.store.close()
  }
}

async function open(path: string) {
  const store = await openIn(path, { epochBlocks: 1_000 })
  const database = new DatabaseSync(rowsFile(path), { readOnly: true })
  const tail = createTail(createRowIndex(database), true)
  const newest = (after: bigint, asOf: bigint) => {
    const read = tail.read(after, asOf)
    return read && Math.max(...read.edges.map(({ lastBlock }) => Number(lastBlock)))
  }
  return { store, database, tail, newest }
}

test('what was read of blocks that are taken back is not kept', () =>
  withTail(async ({ store, tail, newest }) => {
    await store.apply([blockEntry(1), blockEntry(2)])
    // Of a block that is to come nobody is told when it has.
    expect(newest(-1n, 4n)).toBe(2)
    await store.apply([blockEntry(3), blockEntry(4)])
    tail.forget()
    expect(newest(-1n, 4n)).toBe(4)
  }))

test(
  'a question about the past leaves nothing in the way of those about now',
  () =>
    withTail(async ({ store, newest }) => {
      const blocks = 22
      await store.apply(
        Array.from({ length: blocks }, (_, index) => blockEntry(index + 1, Math.ceil(mostTailRows / 20))),
      )
      expect(newest(0n, 1n)).toBe(1)
      expect(newest(20n, 22n)).toBe(22)
    }),
  60_000,
)
