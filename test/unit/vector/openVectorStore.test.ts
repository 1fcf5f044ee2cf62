import { readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { connect } from '@lancedb/lancedb'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type VectorEntry, type VectorStore, VectorStoreError } from '#vector'
import { createHeldRows } from '../../../vector/held/heldRows.ts'
import { createPatternVectors } from '../../../vector/held/patternVectors.ts'
import { openRows } from '../../../vector/rows/openRows.ts'
import type { RowChange } from '../../../vector/rows/rowIndex.ts'
import { createRowPlaces } from '../../../vector/rows/rowPlaces.ts'
import { executePlan } from '../../../vector/store/executePlan.ts'
import { openTables } from '../../../vector/store/openTables.ts'
import { planWrites } from '../../../vector/store/planWrites.ts'
import { readProgress } from '../../../vector/store/progress.ts'
import {
  blockEntry,
  blockOf,
  chainId,
  everything,
  logger,
  openIn,
  patternOf,
  temporaryDirectory,
  transactionOf,
} from './support.ts'

const code = (name: string) => expect.objectContaining({ name: 'VectorStoreError', code: name })

/** What a store holds, in an order of its own: two stores with the same digest answer alike. */
async function contents(store: VectorStore) {
  const { items, asOf } = await store.search({ ...everything, query: 'transactions' })
  const rows = items.map((item) => `${item.id} ${item.citation} ${item.text} ${item.finality}`).sort()
  return { rows, patterns: await store.patternsAt(1_000_000n), asOf }
}

const branching: readonly VectorEntry[] = [
  blockEntry(1),
  blockEntry(2),
  { kind: 'patterns', boundary: 2n, upsert: [patternOf('a', 2), patternOf('b', 2)], remove: [] },
  blockEntry(3),
  blockEntry(4),
  {
    kind: 'patterns',
    boundary: 4n,
    upsert: [patternOf('a', 4), patternOf('c', 4)],
    remove: [patternOf('b', 2).id],
  },
  {
    kind: 'undo',
    blocks: [blockOf(3), blockOf(4)],
    patterns: {
      boundary: 2n,
      upsert: [patternOf('a', 2), patternOf('b', 2)],
      remove: [patternOf('c', 4).id],
    },
  },
  blockEntry(3, 2, 'b'),
  { kind: 'finalized', number: 2n },
]

describe('apply', () => {
  test('in one call, entry by entry, and all over again: the same state', async () => {
    await using one = await temporaryDirectory()
    await using other = await temporaryDirectory()
    await using whole = await openIn(one.path)
    await using single = await openIn(other.path)
    await whole.apply(branching)
    for (const entry of branching) await single.apply([entry])
    const expected = await contents(whole)
    expect(expected.rows).toHaveLength(8)
    expect(expected.asOf).toEqual({ number: '3', hash: blockOf(3, 'b').hash })
    expect(expected.patterns).toEqual(
      [patternOf('a', 2), patternOf('b', 2)].sort((a, b) => (a.id < b.id ? -1 : 1)),
    )
    expect(await contents(single)).toEqual(expected)
    await whole.apply(branching)
    expect(await contents(whole)).toEqual(expected)
  })

  test('an undone block applied again is there once', async () => {
    await using directory = await temporaryDirectory()
    await using store = await openIn(directory.path)
    await store.apply([blockEntry(1), { kind: 'undo', blocks: [blockOf(1)] }, blockEntry(1)])
    await store.apply([{ kind: 'undo', blocks: [blockOf(1)] }, blockEntry(1)])
    expect((await store.stats()).transactions.rows).toBe(3)
  })

  test('repeated from an earlier block on, the rows are there once', async () => {
    await using directory = await temporaryDirectory()
    await using store = await openIn(directory.path)
    for (const number of [1, 2, 3, 4]) await store.apply([blockEntry(number)])
    await store.apply([blockEntry(2)])
    expect((await store.search(everything)).asOf?.number).toBe('2')
    await store.apply([blockEntry(3), blockEntry(4)])
    const answer = await store.search(everything)
    expect(answer.asOf?.number).toBe('4')
    expect((await store.stats()).transactions.rows).toBe(12)
  })

  test('undo moves asOf back to the newest block still held', async () => {
    await using directory = await temporaryDirectory()
    await using store = await openIn(directory.path)
    await store.apply([blockEntry(1), blockEntry(2), blockEntry(3)])
    await store.apply([{ kind: 'undo', blocks: [blockOf(2), blockOf(3)] }])
    const answer = await store.search(everything)
    expect(answer.asOf).toEqual({ number: '1', hash: blockOf(1).hash })
    expect(answer.items.map((item) => item.facts.blockNumber)).toEqual([1, 1, 1])
    await store.apply([{ kind: 'undo', blocks: [blockOf(1)] }])
    expect(await store.search(everything)).toMatchObject({ asOf: undefined, items: [] })
  })

  test('of a duplicate id in one batch the later row stays; large applies are split', async () => {
    await using directory = await temporaryDirectory()
    await using store = await openIn(directory.path, { rowsPerBatch: 4 })
    const block = blockOf(1)
    const rows = Array.from({ length: 10 }, (_, index) => transactionOf(block, index))
    await store.apply([
      { kind: 'transactions', block, rows: [...rows, transactionOf(block, 3, { outcome: 'failed' })] },
    ])
    const { items } = await store.search({ ...everything, filter: "outcome = 'failed'" })
    expect(items.map((item) => item.id)).toEqual([rows[3]!.id])
    expect((await store.stats()).transactions.rows).toBe(10)
  })

  test('an invalid entry writes nothing and leaves the store usable', async () => {
    await using directory = await temporaryDirectory()
    await using store = await openIn(directory.path)
    const bad = { kind: 'undo' as const, blocks: [{ number: 1n, hash: "0x' OR TRUE --" }] }
    await expect(store.apply([blockEntry(1), bad])).rejects.toThrow(code('INVALID_ENTRY'))
    await store.apply([blockEntry(2)])
    expect((await store.stats()).transactions.rows).toBe(3)
  })
})

describe('killed between writes', () => {
  test('after any number of LanceDB writes, opening and applying again ends in the same state', async () => {
    await using reference = await temporaryDirectory()
    await using expected = await openIn(reference.path)
    await expected.apply(branching)
    const wanted = await contents(expected)
    // The run's four kinds of write in their order; the process is taken to end before write `survived + 1`.
    let survived = 0
    for (let finished = false; !finished; survived += 1) {
      await using directory = await temporaryDirectory()
      await using first = await openIn(directory.path)
      await first.apply(branching.slice(0, 6))
      await first.close()
      finished = await applyUntilKilled(directory.path, branching.slice(3), survived)
      await using again = await openIn(directory.path)
      await again.apply(branching.slice(3))
      expect(await contents(again), `killed after ${survived} writes`).toEqual(wanted)
    }
    expect(survived).toBeGreaterThan(5)
  })

  test('rows that were not finished are gone after the next apply, whatever it brings', async () => {
    await using directory = await temporaryDirectory()
    await using first = await openIn(directory.path)
    await first.apply([blockEntry(1)])
    await first.close()
    // One write survives: the rows of block 2, without their progress.
    expect(await applyUntilKilled(directory.path, [blockEntry(2)], 1)).toBe(false)
    await using again = await openIn(directory.path)
    expect((await again.stats()).transactions.rows).toBe(6)
    // Nobody sees them until then, the newest rows and the nearest alike.
    await using reader = await openIn(directory.path, { readOnly: true })
    for (const store of [again, reader]) {
      for (const query of ['', 'transfers']) {
        const { items, asOf } = await store.search({ ...everything, query, limit: 3 })
        expect(asOf).toEqual({ number: '1', hash: blockOf(1).hash })
        expect(items.map((item) => item.facts.blockHash)).toEqual(Array(3).fill(blockOf(1).hash))
      }
    }
    await again.apply([blockEntry(2, 1, 'b')])
    const { items } = await again.search(everything)
    expect(items.map((item) => item.facts.blockHash).sort()).toEqual(
      [...Array.from({ length: 3 }, () => blockOf(1).hash), blockOf(2, 'b').hash].sort(),
    )
  })
})

class Killed extends Error {}

/** Applies entries on raw tables that fail from the write after `survived` on; true when all writes went through. */
async function applyUntilKilled(
  directory: string,
  entries: readonly VectorEntry[],
  survived: number,
): Promise<boolean> {
  const options = {
    directory,
    chainId,
    indexCacheBytes: 1 << 24,
    metadataCacheBytes: 1 << 24,
    readOnly: false,
  }
  const { connection, tables } = await openTables(options)
  let writes = 0
  const counted = <T extends object>(target: T): T =>
    new Proxy(target, {
      get(object, name) {
        const value: unknown = Reflect.get(object, name, object)
        if (typeof value !== 'function') return value
        if (name === 'mergeInsert' || name === 'delete' || name === 'add') {
          return (...values: unknown[]) => {
            if (writes === survived) throw new Killed()
            writes += 1
            return value.apply(object, values)
          }
        }
        return value.bind(object)
      },
    })
  const dying = {
    transactions: counted(tables.transactions),
    patterns: counted(tables.patterns),
    progress: counted(tables.progress),
  }
  const before = await readProgress(tables.progress)
  const rows = await openRows({ directory, chainId, readOnly: false }, tables, before, { logger })
  const writer = {
    async apply(change: RowChange) {
      if (writes === survived) throw new Killed()
      writes += 1
      rows.apply(change)
    },
  }
  try {
    await executePlan(
      {
        tables: dying,
        places: createRowPlaces(tables.transactions),
        writer,
        held: {
          transactions: createHeldRows(rows, { hasIndex: false, most: 1_000_000 }),
          patterns: createPatternVectors(rows),
        },
      },
      planWrites(entries, chainId),
      before,
      { chainId, rowsPerBatch: 4, mayHoldLater: false },
      () => undefined,
    )
    return true
  } catch (error) {
    if (error instanceof Killed) return false
    throw error
  } finally {
    rows.close()
    connection.close()
  }
}

describe('patternsAt', () => {
  test('numbers come back bit for bit', async () => {
    await using directory = await temporaryDirectory()
    await using store = await openIn(directory.path)
    const finite = fc.double({ noNaN: true, noDefaultInfinity: true })
    const counts = fc.record({
      evmSucceeded: finite,
      evmFailed: finite,
      svmExecuted: finite,
      svmFailed: finite,
      computeUnits: finite,
      gasLimit: finite,
      calldataBytes: finite,
      valueLog2: finite,
    })
    const seed = 20_261_121
    const upsert = fc
      .sample(fc.tuple(counts, fc.bigInt({ min: 0n, max: 2n ** 62n }), fc.boolean()), { numRuns: 300, seed })
      .map(([numbers, boundary, svm], index) => ({ ...patternOf(`p${index}`, 0), ...numbers, boundary, svm }))
    await store.apply([{ kind: 'patterns', boundary: 1n, upsert, remove: [] }])
    const read = await store.patternsAt(2n ** 62n)
    const sorted = upsert.toSorted((a, b) => (a.id < b.id ? -1 : 1))
    expect(read, `seed ${seed}`).toStrictEqual(sorted)
    const signs = (rows: typeof read) => rows.map((row) => Object.is(row.gasLimit, -0))
    expect(signs(read)).toEqual(signs(sorted))
  })

  test('a row of a later boundary is refused', async () => {
    await using directory = await temporaryDirectory()
    await using store = await openIn(directory.path)
    await store.apply([{ kind: 'patterns', boundary: 8n, upsert: [patternOf('a', 8)], remove: [] }])
    expect(await store.patternsAt(8n)).toHaveLength(1)
    await expect(store.patternsAt(7n)).rejects.toThrow(code('PATTERNS_AHEAD'))
  })
})

describe('opening', () => {
  test('again finds rows, asOf and finality', async () => {
    await using directory = await temporaryDirectory()
    await using first = await openIn(directory.path)
    await first.apply(branching)
    const before = await contents(first)
    await first.close()
    await first.close()
    await expect(first.apply([])).rejects.toThrow(code('CLOSED'))
    await using second = await openIn(directory.path)
    expect(await contents(second)).toEqual(before)
    expect((await second.stats()).finalized).toBe(2n)
  })

  test('completes a creation that was cut short', async () => {
    await using directory = await temporaryDirectory()
    await using first = await openIn(directory.path)
    await first.close()
    await rm(join(directory.path, 'progress.lance'), { recursive: true })
    await rm(join(directory.path, 'patterns.lance', '_versions'), { recursive: true })
    await using second = await openIn(directory.path)
    await second.apply(branching)
    expect((await second.stats()).patterns.rows).toBe(2)
  })

  test('a read-only store sees what the writer writes, and never writes', async () => {
    await using directory = await temporaryDirectory()
    await using writer = await openIn(directory.path)
    await using reader = await openIn(directory.path, { readOnly: true })
    await writer.apply(branching)
    expect(await contents(reader)).toEqual(await contents(writer))
    await expect(reader.apply(branching)).rejects.toThrow(code('READ_ONLY'))
    const nowhere = join(directory.path, 'nowhere')
    await expect(openIn(nowhere, { readOnly: true })).rejects.toThrow(code('STORE_MISSING'))
    expect(await readdir(directory.path)).not.toContain('nowhere')
  })

  test('another chain, a lost table and other columns are told apart', async () => {
    await using directory = await temporaryDirectory()
    await using store = await openIn(directory.path)
    await store.apply(branching)
    await store.close()
    await expect(openIn(directory.path, { chainId: 5n })).rejects.toThrow(code('STORE_MISMATCH'))
    const connection = await connect(directory.path)
    await connection.dropTable('patterns')
    await expect(openIn(directory.path)).rejects.toThrow(code('TABLE_MISSING'))
    await connection.createTable('patterns', [{ id: 'x' }])
    await expect(openIn(directory.path)).rejects.toThrow(code('STORE_MISMATCH'))
    connection.close()
    await rm(join(directory.path, 'progress.lance'), { recursive: true })
    await expect(openIn(directory.path)).rejects.toThrow(code('TABLE_MISSING'))
  })

  test.each(['_versions', 'data'])('damaged files in %s are named', async (part) => {
    await using directory = await temporaryDirectory()
    await using store = await openIn(directory.path)
    await store.apply(branching)
    await store.close()
    const folder = join(directory.path, 'transactions.lance', part)
    for (const file of await readdir(folder)) await writeFile(join(folder, file), 'garbage')
    const error = await openIn(directory.path).then(
      () => undefined,
      (cause: unknown) => cause,
    )
    expect(error).toBeInstanceOf(VectorStoreError)
    expect(error).toMatchObject({
      code: 'STORE_DAMAGED',
      message: expect.stringContaining('transactions.lance'),
    })
    expect(await readdir(folder)).not.toHaveLength(0)
  })

  test('names every wrong option at once', async () => {
    const opening = openIn('', { optimizeEvery: 0, rowsPerBatch: 0.5 })
    await expect(opening).rejects.toThrow(/rowsPerBatch.*optimizeEvery.*directory/)
  })
})
