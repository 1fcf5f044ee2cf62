import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import pino from 'pino'
import { describe, expect, test } from 'vitest'
import type { TransactionRow } from '#vector'
import { compileFilter } from '../../../../vector/filter/compileFilter.ts'
import { isPlain, isSelective, outcomesOf } from '../../../../vector/filter/isSelective.ts'
import { parseFilter } from '../../../../vector/filter/parseFilter.ts'
import type { StoredRow } from '../../../../vector/query/describeRow.ts'
import { openRows, rowsFile } from '../../../../vector/rows/openRows.ts'
import { storedPattern, storedTransaction } from '../../../../vector/rows/storedRows.ts'
import { openTables } from '../../../../vector/store/openTables.ts'
import { readProgress } from '../../../../vector/store/progress.ts'
import {
  addressOf,
  blockEntry,
  blockOf,
  chainId,
  everything,
  logger,
  openIn,
  patternOf,
  placed,
  temporaryDirectory,
  transactionOf,
} from '../support.ts'

/** Opens the row index of a folder as a store does, with what it logs. */
async function openAlone(directory: string) {
  const options = {
    directory,
    chainId,
    indexCacheBytes: 1 << 24,
    metadataCacheBytes: 1 << 24,
    readOnly: false,
  }
  const { connection, tables } = await openTables(options)
  const lines: { msg: string; problem?: string; rows?: number }[] = []
  const listening = pino({ level: 'info' }, { write: (line: string) => lines.push(JSON.parse(line)) })
  const rows = await openRows(options, tables, await readProgress(tables.progress), { logger: listening })
  return {
    rows,
    lines,
    [Symbol.dispose]() {
      rows.close()
      connection.close()
    },
  }
}

const storm = { name: 'storm', text: 'Many calls fail.', subjects: [addressOf('contract 1')], risk: 50 }
const nothing = { lowest: undefined, removePatterns: [], upsertPatterns: [] }

describe('rows', () => {
  test('come back as they were given, newest first, those of a block by id', async () => {
    await using directory = await temporaryDirectory()
    using open = await openAlone(directory.path)
    const given = [3, 1, 2].flatMap((number) => blockEntry(number, 4).rows)
    const lying = placed(given.map(storedTransaction))
    open.rows.apply({
      ...nothing,
      from: 0n,
      transactions: lying,
      upsertPatterns: [storedPattern(patternOf('a', 2, { evmFailed: 0.1 + 0.2 }))],
      reached: blockOf(3),
    })
    const byAge = (a: StoredRow, b: StoredRow) =>
      Number((b.blockNumber as bigint) - (a.blockNumber as bigint)) || (a.id! < b.id! ? -1 : 1)
    const expected = lying.map(({ place, row }) => ({ ...row, place: BigInt(place) })).sort(byAge)
    expect(open.rows.newest('transactions', [], 100)).toEqual(expected)
    expect(open.rows.newest('transactions', ['`blockNumber` <= 2'], 3)).toEqual(expected.slice(4, 7))
    expect(open.rows.byKeys('transactions', [lying[5]!.place, 1e9])).toEqual([
      { ...lying[5]!.row, place: BigInt(lying[5]!.place) },
    ])
    expect(open.rows.byKeys('patterns', ['unknown'])).toEqual([])
    const [pattern] = open.rows.newest('patterns', ['`evmFailed` > 0.0'], 1)
    expect(pattern).toEqual(storedPattern(patternOf('a', 2, { evmFailed: 0.1 + 0.2 })))
    expect(open.rows.reached()).toEqual(blockOf(3))
    expect(open.rows.count(2n)).toBe(8)
  })

  test('property: whatever was applied and cut, what is left is what a list holds', async () => {
    await using directory = await temporaryDirectory()
    using open = await openAlone(directory.path)
    const step = fc.record({
      back: fc.nat(3),
      blocks: fc.array(fc.nat(3), { maxLength: 3 }),
      branch: fc.nat(9),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        open.rows.apply({ ...nothing, from: 0n, transactions: [], reached: undefined })
        let model: TransactionRow[] = []
        let height = 0
        for (const { back, blocks, branch } of steps) {
          const from = Math.max(1, height + 1 - back)
          const added = blocks.flatMap((rows, index) => blockEntry(from + index, rows, `b${branch}`).rows)
          height = from + blocks.length - 1
          model = [...model.filter(({ blockNumber }) => blockNumber < BigInt(from)), ...added]
          const reached = height === 0 ? undefined : blockOf(height, `b${branch}`)
          const transactions = placed(added.map(storedTransaction))
          open.rows.apply({ ...nothing, from: BigInt(from), transactions, reached })
          const ids = open.rows.newest('transactions', [], 1000).map(({ id }) => id)
          expect(ids.toSorted()).toEqual(model.map(({ id }) => id).sort())
          expect(open.rows.reached()).toEqual(reached)
        }
      }),
      { numRuns: 40 },
    )
  })

  test('a change that fails changes nothing', async () => {
    await using directory = await temporaryDirectory()
    using open = await openAlone(directory.path)
    const first = placed(blockEntry(1).rows.map(storedTransaction))
    open.rows.apply({ ...nothing, from: 0n, transactions: first, reached: blockOf(1) })
    const broken = placed([{ ...storedTransaction(transactionOf(blockOf(2), 0)), outcome: Number.NaN }])
    expect(() =>
      open.rows.apply({ ...nothing, from: 1n, transactions: broken, reached: blockOf(2) }),
    ).toThrow()
    expect(open.rows.newest('transactions', [], 10)).toHaveLength(3)
    expect(open.rows.reached()).toEqual(blockOf(1))
  })

  test.each([
    [`"to" = 'x' AND "outcome" = 'failed'`, 'transactionsByTo (to=? AND blockNumber<?)'],
    [`"from" = 'x' AND "svm" = TRUE`, 'transactionsByFrom (from=? AND blockNumber<?)'],
    [`"selector" = 's' AND "route" = 'r'`, 'transactionsBySelector (selector=? AND blockNumber<?)'],
    // By what fewest rows have, whatever else is asked.
    [`"selector" = 's' AND "to" = 'x'`, 'transactionsByTo (to=? AND blockNumber<?)'],
    [`"selector" = 's' AND "from" = 'y' AND "to" = 'x'`, 'transactionsByFrom (from=? AND blockNumber<?)'],
    [`"to" = 'x' AND "selector" IN ('s', 't')`, 'transactionsByTo (to=? AND blockNumber<?)'],
    [`"outcome" = 'failed' AND "svm" = TRUE`, 'transactionsByOutcome (outcome=? AND blockNumber<?)'],
  ])('the newest of %s are the end of a range of an index', async (condition, expected) => {
    await using directory = await temporaryDirectory()
    using open = await openAlone(directory.path)
    expect(open.rows.reached()).toBeUndefined()
    using database = new DatabaseSync(rowsFile(directory.path))
    const plan = database
      .prepare(
        `EXPLAIN QUERY PLAN SELECT * FROM transactions WHERE (${condition}) AND ("blockNumber" <= 9) ` +
          'ORDER BY "blockNumber" DESC, "id" LIMIT 10',
      )
      .all()
    expect(plan.map(({ detail }) => detail)).toEqual([
      `SEARCH transactions USING INDEX ${expected}`,
      // Sorted within a block only, so that ten rows are read for ten.
      'USE TEMP B-TREE FOR LAST TERM OF ORDER BY',
    ])
  })

  test('few of an outcome are listed without reading a row', async () => {
    await using directory = await temporaryDirectory()
    using open = await openAlone(directory.path)
    expect(open.rows.reached()).toBeUndefined()
    using database = new DatabaseSync(rowsFile(directory.path))
    const where = `"outcome" = 'failed' AND "svm" = TRUE AND "blockNumber" > 9`
    const plan = database
      .prepare(`EXPLAIN QUERY PLAN SELECT "place" FROM transactions WHERE ${where} LIMIT 9`)
      .all()
    expect(plan.map(({ detail }) => detail)).toEqual([
      'SEARCH transactions USING COVERING INDEX transactionsByOutcome (outcome=? AND blockNumber>?)',
    ])
  })
})

describe('the file', () => {
  test.each([
    ['is missing', async (file: string) => rm(file)],
    ['is no database', async (file: string) => writeFile(file, 'no database at all'.repeat(999))],
    ['is cut short', async (file: string) => writeFile(file, (await readFile(file)).subarray(0, 20_000))],
    [
      'ends at another block',
      async (file: string) => change(file, `UPDATE reached SET "hash" = '0x${'9'.repeat(64)}'`),
    ],
    [
      'has other row ids',
      async (file: string) => change(file, 'UPDATE transactions SET "place" = "place" + 100'),
    ],
    ['lacks rows', async (file: string) => change(file, 'DELETE FROM transactions WHERE "blockNumber" = 2')],
    [
      'is of another layout',
      async (file: string) =>
        change(file, 'PRAGMA user_version = 3; ALTER TABLE reached DROP COLUMN "edges"'),
    ],
    [
      'is of a layout that nobody knows',
      async (file: string) => change(file, 'PRAGMA user_version = 99; DROP TABLE memories'),
    ],
  ])('is made anew where it %s', async (problem, damage) => {
    await using directory = await temporaryDirectory()
    {
      await using store = await openIn(directory.path)
      const upsert = [patternOf('a', 3), patternOf('b', 3)]
      await store.apply([
        blockEntry(1),
        blockEntry(2),
        blockEntry(3),
        { kind: 'patterns', boundary: 3n, upsert, remove: [] },
        { kind: 'findings', block: blockOf(2), rows: [storm] },
      ])
    }
    const file = rowsFile(directory.path)
    for (const suffix of ['-wal', '-shm']) await rm(`${file}${suffix}`, { force: true })
    await damage(file)
    {
      using open = await openAlone(directory.path)
      expect(open.lines.map(({ msg }) => msg)).toEqual([
        'Making the row index anew from the tables',
        'Made the row index',
      ])
      expect(open.lines[1]?.rows).toBe(11)
      expect(open.rows.reached()).toEqual(blockOf(3))
      // What cannot be made again is taken over where it can be read.
      const isReadable = [
        'ends at another block',
        'has other row ids',
        'lacks rows',
        'is of another layout',
      ].includes(problem)
      const findings = open.rows.texts.newest('memories', ["`memoryKind` = 'finding'"], 10)
      expect(findings.map(({ name, toBlock }) => [name, toBlock])).toEqual(isReadable ? [['storm', 2n]] : [])
      if (isReadable) expect(open.rows.problem).toBeUndefined()
      else expect(open.rows.problem).toContain('findings up to block 3 are lost')
    }
    expect((await readdir(directory.path)).filter((name) => name.startsWith('rows.damaged'))).toEqual([])
    {
      using open = await openAlone(directory.path)
      expect(open.lines).toEqual([])
    }
    await using store = await openIn(directory.path, { readOnly: true })
    const { items, warnings } = await store.search({
      ...everything,
      query: `transactions to:${addressOf('contract 1')}`,
    })
    expect(items.filter(({ facts }) => facts.match === 'exact')).toHaveLength(3)
    expect(warnings).toEqual([])
  })

  test('is expected by a reader', async () => {
    await using directory = await temporaryDirectory()
    {
      await using store = await openIn(directory.path)
      await store.apply([blockEntry(1)])
    }
    await writeFile(rowsFile(directory.path), 'damaged')
    const opening = () => openIn(directory.path, { readOnly: true })
    await expect(opening()).rejects.toMatchObject({ code: 'STORE_DAMAGED' })
    await rm(rowsFile(directory.path))
    await expect(opening()).rejects.toMatchObject({ code: 'TABLE_MISSING' })
  })
})

describe('filters', () => {
  test.each([
    [`to = ${addressOf('a')} AND outcome = 'failed'`, true, true, 1],
    [`to IN (${addressOf('a')}, ${addressOf('b')})`, true, true, 0],
    [`outcome = 'failed'`, true, false, 1],
    [`outcome IN ('failed', 'rejected') AND svm = true`, true, false, 2],
    [`outcome IN ('failed', 'rejected') AND outcome = 'failed'`, true, false, 1],
    [`outcome NOT IN ('failed') AND NOT outcome = 'rejected'`, true, false, 0],
    [`outcome <> 'failed'`, true, false, 0],
    [`to = ${addressOf('a')} OR outcome = 'failed'`, true, false, 0],
    [`NOT to = ${addressOf('a')}`, true, false, 0],
    [`to <> ${addressOf('a')}`, true, false, 0],
    [`to NOT IN (${addressOf('a')})`, true, false, 0],
    [`to = ${addressOf('a')} AND value > 10`, false, true, 0],
    [`to LIKE '0x%'`, false, false, 0],
    ["outcome = 'a\0b'", false, false, 1],
  ])('%s', (text, plain, selective, outcomes) => {
    const filter = parseFilter(text)
    expect([isPlain(filter), isSelective(filter), outcomesOf(filter)]).toEqual([plain, selective, outcomes])
  })

  test('find in the row index what they find in LanceDB', async () => {
    await using directory = await temporaryDirectory()
    await using store = await openIn(directory.path)
    const outcomes = ['succeeded', 'failed', "it's odd", 'Failed']
    const rowsOf = (number: number) =>
      Array.from({ length: 6 }, (_, index) =>
        transactionOf(blockOf(number), index, {
          outcome: outcomes[(number + index) % 4]!,
          svm: index % 2 === 0,
          to: index === 5 ? '' : addressOf(`contract ${index % 3}`),
        }),
      )
    await store.apply([1, 2, 3, 4].map((number) => ({ ...blockEntry(number, 0), rows: rowsOf(number) })))
    const { connection, tables } = await openTables({
      directory: directory.path,
      chainId,
      indexCacheBytes: 1 << 24,
      metadataCacheBytes: 1 << 24,
      readOnly: true,
    })
    const rows = await openRows({ directory: directory.path, chainId, readOnly: true }, tables, before, {
      logger,
    })
    for (const text of [
      `to = ${addressOf('contract 1')} AND NOT svm`,
      `to = '' OR outcome = 'it''s odd'`,
      `outcome <> 'failed' AND blockNumber BETWEEN 2 AND 3`,
      `outcome >= 'failed'`,
      `svm = true AND (route = 'executeOnEvm' OR blockNumber NOT IN (1, 2))`,
      'NOT (svm OR blockNumber > 2)',
      "finality = 'finalized' OR svm",
    ]) {
      const filter = parseFilter(text)
      expect(isPlain(filter)).toBe(true)
      const sql = compileFilter(filter, 'transactions', 2n)!
      const expected = await tables.transactions.query().where(sql).select(['id']).toArray()
      const found = rows.newest('transactions', [sql], 1000)
      expect(found.map(({ id }) => id).sort(), text).toEqual(expected.map(({ id }) => id).sort())
    }
    rows.close()
    connection.close()
  })
})

const before = { asOf: undefined, finalized: undefined }

function change(file: string, statement: string): void {
  using database = new DatabaseSync(file)
  database.exec(statement)
}
