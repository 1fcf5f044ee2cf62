import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { connect } from '@lancedb/lancedb'
import { expect, test } from 'vitest'
import { type MaintenanceEvent, openVectorStore, type VectorStoreOptions } from '#vector'
import { isDue, patienceMs, suits } from '../../../vector/store/maintenance.ts'
import {
  addressOf,
  blockEntry,
  blockOf,
  chainId,
  indexRows,
  logger,
  patternOf,
  temporaryDirectory,
  transactionOf,
} from './support.ts'

/** Opens a store whose background jobs can be awaited one by one. */
async function openWatched(directory: string, changes: Partial<VectorStoreOptions>) {
  const events: MaintenanceEvent[] = []
  const waiting: (() => void)[] = []
  const cache = 16 * 2 ** 20
  const options = {
    directory,
    chainId,
    indexCacheBytes: cache,
    metadataCacheBytes: cache,
    optimizeEvery: 10,
    ...changes,
  }
  const onMaintenance = (event: MaintenanceEvent) => {
    events.push(event)
    for (const wake of waiting.splice(0)) wake()
  }
  const store = await openVectorStore(options, { logger, onMaintenance })
  const next = async (job: MaintenanceEvent['job']): Promise<MaintenanceEvent> => {
    for (;;) {
      const at = events.findIndex((event) => event.job === job)
      if (at >= 0) return events.splice(at, 1)[0]!
      await new Promise<void>((resolve) => waiting.push(resolve))
    }
  }
  return { store, next }
}

test('compacts every N writes and prunes old versions, keeping every row', async () => {
  await using directory = await temporaryDirectory()
  const { store, next } = await openWatched(directory.path, { keepVersionsMs: 0 })
  for (let number = 1; number <= 9; number += 1) await store.apply([blockEntry(number)])
  const before = await store.stats()
  expect(before.lastOptimize).toBeUndefined()
  await store.apply([blockEntry(10)])
  expect(await next('optimize')).toMatchObject({ ok: true, error: undefined })
  const after = await store.stats()
  expect(after.lastOptimize).toMatchObject({ job: 'optimize', ok: true })
  expect(after.transactions.rows).toBe(30)
  expect(after.transactions.versions).toBeLessThan(before.transactions.versions)
  expect(after.bytesOnDisk).toBeGreaterThan(0)
  await store.close()
})

test('writes before the store was opened count', async () => {
  await using directory = await temporaryDirectory()
  const first = await openWatched(directory.path, {})
  for (let number = 1; number <= 9; number += 1) await first.store.apply([blockEntry(number)])
  await first.store.close()
  const { store, next } = await openWatched(directory.path, {})
  await store.apply([blockEntry(10)])
  expect(await next('optimize')).toMatchObject({ ok: true })
  await store.close()
})

test.each([
  ['too few writes', 20, 19, 3_600_000, 0, false],
  ['the first', 20, 20, 3_600_000, 0, true],
  ['within the time that it may take', 20, 20, 3_000, 1_000, true],
  ['sooner than that', 20, 199, 2_999, 1_000, false],
  ['sooner, with as many writes as are waited for', 20, 200, 1_000, 1_000, true],
  ['a setting above that', 1_000, 999, 1_000, 1_000, false],
])('whether to compact again: %s', (_, optimizeEvery, writes, sinceMs, tookMs, expected) => {
  expect(isDue(optimizeEvery, writes, sinceMs, tookMs)).toBe(expected)
})

test('the more compactions reorgs have ended, the longer they wait for the next', () => {
  expect([0, 1, 2, 4, 5, 50].map(patienceMs)).toEqual([1_000, 2_000, 4_000, 16_000, 30_000, 30_000])
})

test('a compaction that fails is reported, and writing goes on', async () => {
  await using directory = await temporaryDirectory()
  const { store, next } = await openWatched(directory.path, { optimizeEvery: 7 })
  for (const name of ['a', 'b', 'c']) {
    await store.apply([{ kind: 'patterns', boundary: 1n, upsert: [patternOf(name, 1)], remove: [] }])
  }
  for (let number = 1; number <= 3; number += 1) await store.apply([blockEntry(number)])
  const data = join(directory.path, 'patterns.lance', 'data')
  for (const file of await readdir(data)) await writeFile(join(data, file), 'garbage')
  await store.apply([blockEntry(5)])
  const event = await next('optimize')
  expect(event.ok).toBe(false)
  expect(event.error).toContain('patterns: ')
  await store.apply([blockEntry(6)])
  expect((await store.search({ query: 'block:6', limit: 10, tokens: 10_000 })).items).toHaveLength(3)
  await store.close()
})

test('above the threshold an approximate index is built beside the writes, and searched', async () => {
  await using directory = await temporaryDirectory()
  const { store, next } = await openWatched(directory.path, { indexAboveRows: 500, optimizeEvery: 2 })
  const many = (number: number) => {
    const block = blockOf(number)
    const rows = Array.from({ length: 400 }, (_, index) =>
      transactionOf(block, index, { to: addressOf(`contract ${number} ${index % 50}`) }),
    )
    return { kind: 'transactions' as const, block, rows }
  }
  await store.apply([many(1)])
  await store.apply([many(2)])
  expect(await next('optimize')).toMatchObject({ ok: true })
  await store.apply([many(3)])
  expect(await next('vectorIndex')).toMatchObject({ ok: true })
  expect((await store.stats()).vectorIndex).toBe(true)

  const target = addressOf('contract 1 7')
  const near = await store.search({
    query: `transfers to:${target} from:${addressOf('sender 7')} kind:transaction`,
    limit: 20,
    tokens: 100_000,
  })
  expect(near.items[0]?.facts).toMatchObject({ match: 'exact', to: target })
  expect(near.items.slice(1, 5).map((item) => item.facts.to)).toEqual([target, target, target, target])
  // Rows written after the index was built are found as well.
  const later = await store.search({
    query: `swaps to:${addressOf('contract 3 9')} kind:transaction`,
    limit: 5,
    tokens: 100_000,
  })
  expect(later.items.map((item) => item.facts.to)).toEqual(
    Array.from({ length: 5 }, () => addressOf('contract 3 9')),
  )
  await store.close()
})

test('the approximate index is built anew once the table has outgrown it', async () => {
  await using directory = await temporaryDirectory()
  const { store, next } = await openWatched(directory.path, {
    indexAboveRows: 300,
    exactRows: 0,
    optimizeEvery: 1,
  })
  const many = (number: number, count: number) => ({
    ...blockEntry(number, 0),
    rows: Array.from({ length: count }, (_, index) =>
      transactionOf(blockOf(number), index, { to: addressOf(`contract ${index % 50}`) }),
    ),
  })
  const indices = async () => {
    const connection = await connect(directory.path)
    const table = await connection.openTable('transactions')
    const all = await table.listIndices()
    connection.close()
    return all.filter(({ columns }) => columns.includes('embedding')).map(({ name }) => name)
  }
  /** Writes on, since a compaction is followed by a rest, until a job was done. */
  let number = 10
  const until = async (job: MaintenanceEvent['job']) => {
    let isDone = false
    const done = next(job).finally(() => {
      isDone = true
    })
    while (!isDone) {
      await store.apply([many(number, 1)])
      number += 1
      await delay(20)
    }
    return await done
  }
  await store.apply([many(1, 400)])
  expect(await next('vectorIndex')).toMatchObject({ ok: true })
  expect(await indices()).toEqual(['embedding_rq2_20'])
  await next('optimize')
  await store.apply([many(2, 300)])
  await until('optimize')
  expect(await indices()).toEqual(['embedding_rq2_20'])
  await store.apply([many(number, 600)])
  number += 1
  expect(await until('vectorIndex')).toMatchObject({ ok: true })
  expect(await indices()).toEqual([expect.stringMatching(/^embedding_rq2_3\d$/)])
  await store.close()
})

test('blocks come and go while the table is compacted, and every row of the chain is there once', async () => {
  await using directory = await temporaryDirectory()
  const { store } = await openWatched(directory.path, { optimizeEvery: 1, keepVersionsMs: 0 })
  const expected: string[] = []
  for (let number = 1; number <= 40; number += 1) {
    await store.apply([blockEntry(number, 20)])
    if (number % 4 === 0)
      await store.apply([{ kind: 'undo', blocks: [blockOf(number)] }, blockEntry(number, 5, 'b')])
    const entry = number % 4 === 0 ? blockEntry(number, 5, 'b') : blockEntry(number, 20)
    expected.push(...entry.rows.map(({ id }) => id))
  }
  await store.close()
  const connection = await connect(directory.path)
  const table = await connection.openTable('transactions')
  const rows = (await table.query().select(['id']).toArray()) as { id: string }[]
  connection.close()
  expect(rows.map(({ id }) => id).sort()).toEqual(expected.sort())
  const index = indexRows(directory.path).transactions!.map((row) => JSON.parse(row).id)
  expect(index.sort()).toEqual(expected)
})

test('closing waits for what is under way, and refuses what comes after', async () => {
  await using directory = await temporaryDirectory()
  const { store } = await openWatched(directory.path, { optimizeEvery: 1 })
  const applied = [1, 2, 3].map((number) => store.apply([blockEntry(number)]))
  const asked = [1, 2, 3].map(() => store.search({ query: 'transfers', limit: 5, tokens: 10_000 }))
  await store.close()
  await Promise.all([...applied, ...asked])
  await expect(store.search({ query: '', limit: 1, tokens: 1 })).rejects.toThrow(
    expect.objectContaining({ code: 'CLOSED' }),
  )
  await expect(store.patternsAt(1n)).rejects.toThrow(expect.objectContaining({ code: 'CLOSED' }))
})

test.each([
  ['of these rows', 'embedding_rq2_1000', 1, 1_000_000, true],
  ['of half of them, with segments of later ones', 'embedding_rq2_1000', 3, 2_000_000, true],
  ['of less than half', 'embedding_rq2_1000', 1, 2_000_001, false],
  ['in many segments', 'embedding_rq2_1000', 4, 1_000_000, false],
  ['of another kind', 'embedding_idx', 1, 10, false],
])('an index %s is kept, or built anew', (_, name, segments, rows, isKept) => {
  expect(suits({ name, segments }, rows)).toBe(isKept)
})
