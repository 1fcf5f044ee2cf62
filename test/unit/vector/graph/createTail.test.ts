import { connect } from '@lancedb/lancedb'
import { expect, test } from 'vitest'
import { createTail, mostTailRows } from '../../../../vector/graph/createTail.ts'
import { blockEntry, openIn, temporaryDirectory } from '../support.ts'

/** A store without epochs, and a tail over its transactions as they are on disk. */
async function withTail(run: (parts: Awaited<ReturnType<typeof open>>) => Promise<void>) {
  await using directory = await temporaryDirectory()
  const parts = await open(directory.path)
  try {
    await run(parts)
  } finally {
    parts.connection.close()
    await parts.store.close()
  }
}

async function open(path: string) {
  const store = await openIn(path, { epochBlocks: 1_000 })
  const connection = await connect(path, { readConsistencyInterval: 0 })
  const tail = createTail(await connection.openTable('transactions'), true)
  const newest = async (after: bigint, asOf: bigint) => {
    const read = await tail.read(after, asOf)
    return read && Math.max(...read.edges.map(({ lastBlock }) => Number(lastBlock)))
  }
  return { store, connection, tail, newest }
}

test('what is read while blocks are taken back is not kept', () =>
  withTail(async ({ store, tail, newest }) => {
    await store.apply([blockEntry(1), blockEntry(2)])
    // Asked when block 4 was the newest, which is undone before it is looked for.
    const asked = newest(-1n, 4n)
    tail.forget()
    expect(await asked).toBe(2)
    await store.apply([blockEntry(3), blockEntry(4)])
    expect(await newest(-1n, 4n)).toBe(4)
  }))

test(
  'a question about the past leaves nothing in the way of those about now',
  () =>
    withTail(async ({ store, newest }) => {
      const blocks = 22
      await store.apply(
        Array.from({ length: blocks }, (_, index) => blockEntry(index + 1, Math.ceil(mostTailRows / 20))),
      )
      expect(await newest(0n, 1n)).toBe(1)
      expect(await newest(20n, 22n)).toBe(22)
    }),
  60_000,
)
