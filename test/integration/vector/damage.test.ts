import { spawnSync } from 'node:child_process'
import { cp, open, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { connect } from '@lancedb/lancedb'
import { Field, FixedSizeList, Float32, Schema } from 'apache-arrow'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { EmbedderError, FilterError, QueryError, type VectorEntry, VectorStoreError } from '#vector'
import { createTextHashEmbedder } from '../../../vector/embed/textHashEmbedder.ts'
import { rowsFile } from '../../../vector/rows/openRows.ts'
import { limitedFolder, noLimitedFolder } from '../../support/program/limitedFolder.ts'
import { type TemporaryFolder, temporaryFolder } from '../../support/program/temporaryFolder.ts'
import { addressOf, blockEntry, blockOf, everything, openIn, patternOf } from '../../unit/vector/support.ts'
import { startEmbedderServer } from './embedderServer.ts'
import { openApart } from './openApart.ts'

const options = { epochBlocks: 4, asyncConsolidation: false }
const note = { title: 'Runbook', kind: 'note' as const, text: 'Pause the router when fees are drained.' }
const storm = { name: 'storm', text: 'Many calls fail.', subjects: [addressOf('contract 1')], risk: 50 }
const history: readonly VectorEntry[] = [
  ...Array.from({ length: 10 }, (_, index) => blockEntry(index + 1)),
  { kind: 'patterns', boundary: 8n, upsert: [patternOf('a', 8)], remove: [] },
  { kind: 'findings', block: blockOf(9), rows: [storm] },
  { kind: 'finalized', number: 5n },
]
const id = addressOf('contract 1')

/** What the pipeline needs goes on: the next block, its undo, its patterns. */
async function expectPipelineGoesOn(store: Awaited<ReturnType<typeof openIn>>) {
  const { asOf } = await store.stats()
  const next = Number(asOf!.number) + 1
  const finding: VectorEntry = { kind: 'findings', block: blockOf(next), rows: [storm] }
  await store.apply([blockEntry(next), finding])
  await store.apply([{ kind: 'undo', blocks: [blockOf(next)] }, blockEntry(next, 2, 'b')])
  expect((await store.stats()).asOf?.hash).toBe(blockOf(next, 'b').hash)
  expect(await store.patternsAt(8n)).toEqual([patternOf('a', 8)])
}

/** Where the first page of an index is in a file, bytes. */
function pageOf(file: string, index: string): { readonly position: number; readonly length: number } {
  using database = new DatabaseSync(file)
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  const length = Number(database.prepare('PRAGMA page_size').get()!.page_size)
  const page = database.prepare('SELECT rootpage FROM sqlite_schema WHERE name = ?').get(index)!.rootpage
  return { position: (Number(page) - 1) * length, length }
}

async function spoil(folder: string): Promise<void> {
  for (const file of await readdir(folder, { recursive: true, withFileTypes: true }))
    if (file.isFile()) await writeFile(join(file.parentPath, file.name), 'garbage')
}

describe('a damaged store', () => {
  const resources = new AsyncDisposableStack()
  let folder: TemporaryFolder
  let original: string
  let copies = 0

  beforeAll(async () => {
    folder = resources.use(await temporaryFolder())
    original = join(folder.path, 'original')
    await using store = await openIn(original, options)
    await store.apply(history)
    await store.addDocument(note)
  })
  afterAll(() => resources.disposeAsync())

  const copied = async () => {
    const path = join(folder.path, `copy ${copies++}`)
    await cp(original, path, { recursive: true })
    return path
  }
  const tableFolder = async (path: string, name: string) =>
    join(
      path,
      (await readdir(path)).find((each) => each === `${name}.lance` || each.startsWith(`${name}--`))!,
    )

  test.each([
    ['without its row index', async (file: string) => rm(file)],
    ['with garbage in its row index', async (file: string) => writeFile(file, 'garbage')],
  ])('%s: rows and graph are made again from the transactions', async (_, damage) => {
    const path = await copied()
    await using sound = await openIn(original, { readOnly: true })
    const expected = await sound.neighbours({ id, hops: 2 })
    for (const suffix of ['-wal', '-shm']) await rm(`${rowsFile(path)}${suffix}`, { force: true })
    await damage(rowsFile(path))
    await expect(openIn(path, { readOnly: true })).rejects.toThrow(VectorStoreError)
    await using store = await openIn(path, options)
    const { warnings, ...found } = await store.neighbours({ id, hops: 2 })
    expect({ ...found, warnings: [] }).toEqual(expected)
    expect(warnings).toEqual([expect.stringContaining('findings up to block 10 are lost')])
    expect((await store.documents()).map(({ title }) => title)).toEqual([note.title])
    expect((await store.search({ ...everything, query: 'fees drained', limit: 1 })).items[0]?.kind).toBe(
      'document',
    )
    await store.apply([blockEntry(11)])
    const again = await store.neighbours({ id, hops: 2, asOf: 10n })
    const counted = ({ edges }: typeof expected) => edges.filter(({ kind }) => kind !== 'owns')
    expect(counted(again)).toEqual(counted(expected))
    const remembered = await store.search({ ...everything, query: 'kind:memory' })
    expect(new Set(remembered.items.map(({ facts }) => facts.memoryKind))).toEqual(
      new Set(['epoch', 'pattern']),
    )
    await expectPipelineGoesOn(store)
  })

  test('with a damaged page in its row index: the file gives way with the first write that meets it, and what can be read of it is kept', async () => {
    const path = await copied()
    const file = rowsFile(path)
    const { position, length } = pageOf(file, 'transactionsByTo')
    await using handle = await open(file, 'r+')
    await handle.write(Buffer.alloc(length), 0, length, position)
    await using apart = await openApart(path, options)
    await expect(apart.store.apply([blockEntry(11)])).rejects.toMatchObject({
      code: 'STORE_FAILED',
      message: expect.stringContaining('is damaged (database disk image is malformed). It was set aside'),
    })
    // As the outbox does: again until it is written.
    await expect
      .poll(() => apart.store.apply([blockEntry(11)]).then(() => 'written', String), { timeout: 20_000 })
      .toBe('written')
    expect(apart.said('Made the row index')).toHaveLength(1)
    const { items } = await apart.store.search({ ...everything, query: `to:${id} kind:transaction` })
    expect(items.length).toBeGreaterThan(0)
    const remembered = await apart.store.search({ ...everything, query: 'kind:memory storm' })
    expect(remembered.items[0]?.facts).toMatchObject({ memoryKind: 'finding', name: 'storm' })
    expect(remembered.warnings).toEqual([])
    await expectPipelineGoesOn(apart.store)
  })

  test('without its documents: adding is refused, everything else answers and says so', async () => {
    const path = await copied()
    await rm(await tableFolder(path, 'documents'), { recursive: true })
    await using store = await openIn(path, options)
    const { items, warnings } = await store.search({ ...everything, query: 'transfers' })
    expect(items.length).toBeGreaterThan(0)
    expect(warnings).toEqual([expect.stringContaining('documents: they cannot be used')])
    await expect(store.addDocument(note)).rejects.toThrow(expect.objectContaining({ code: 'STORE_DAMAGED' }))
    expect(await store.documents()).toEqual([])
    await expectPipelineGoesOn(store)
  })

  test('with garbage in documents: left as it is, done without, and said', async () => {
    const path = await copied()
    const table = await tableFolder(path, 'documents')
    await spoil(table)
    const before = await readdir(table, { recursive: true })
    await using store = await openIn(path, options)
    const { items, warnings } = await store.search({ ...everything, query: `transfers to:${id}` })
    expect(items.length).toBeGreaterThan(0)
    expect(warnings.join('; ')).toContain('documents: ')
    expect((await store.stats()).problems).toHaveLength(1)
    await expectPipelineGoesOn(store)
    expect(await readdir(table, { recursive: true })).toEqual(before)
  })

  test('with a damaged index: what still can be searched answers, and a warning says what could not', async () => {
    const path = await copied()
    const connection = await connect(path)
    // Rows come into an index when the table is compacted.
    await (await connection.openTable('transactions')).optimize()
    connection.close()
    await spoil(join(path, 'transactions.lance', '_indices'))
    await using store = await openIn(path, { readOnly: true })
    const question = { ...everything, query: `to:${id} transfers`, filter: "route = 'executeOnEvm'" }
    const { items, warnings } = await store.search(question)
    expect(warnings.join('; ')).toMatch(/transactions.*could not be searched/)
    expect(items.length).toBeGreaterThan(0)
  })

  test('with vectors of other dimensions: transactions are refused by name, documents are found by words alone', async () => {
    const path = await copied()
    const embedder = createTextHashEmbedder()
    const connection = await connect(path)
    const name = (await connection.tableNames()).find((each) => each.startsWith('documents--'))!
    const table = await connection.openTable(name)
    const { fields, metadata } = await table.schema()
    const rows = (await table.query().toArray()) as Record<string, unknown>[]
    await connection.dropTable(name)
    const vector = new Field('embedding', new FixedSizeList(4, new Field('item', new Float32(), true)), false)
    const schema = new Schema([...fields.slice(0, -1), vector] as never, new Map(metadata))
    const wrong = await connection.createEmptyTable(name, schema as never, { mode: 'create' })
    await wrong.add(rows.map((row) => ({ ...row, embedding: [1, 0, 0, 0] })))
    await using store = await openIn(path, options)
    const { items, warnings } = await store.search({ ...everything, query: 'router fees', limit: 1 })
    expect(items[0]?.kind).toBe('document')
    expect(warnings).toEqual([expect.stringContaining('documents by vector could not be searched')])
    expect(embedder.dimensions).not.toBe(4)
    await expectPipelineGoesOn(store)
    await store.close()
    const main = await connection.openTable('transactions')
    const mainSchema = await main.schema()
    await connection.dropTable('transactions')
    await connection.createEmptyTable(
      'transactions',
      new Schema([...mainSchema.fields.slice(0, -1), vector] as never, new Map(mainSchema.metadata)) as never,
    )
    connection.close()
    await expect(openIn(path)).rejects.toThrow(expect.objectContaining({ code: 'STORE_MISMATCH' }))
  })
})

describe('a dead embedder', () => {
  const endpoint = (url: string) => ({
    kind: 'http' as const,
    ...{ url, model: 'm', dimensions: 8, retries: 0, timeoutMs: 60_000 },
  })

  test('documents are found by words, the answer says what is missing, adding one says why not', async () => {
    await using folder = await temporaryFolder()
    const server = await startEmbedderServer(8)
    await using store = await openIn(folder.path, { ...options, embedder: endpoint(server.url) })
    await store.apply(history)
    await store.addDocument(note)
    const alive = await store.search({ ...everything, query: 'router fees', limit: 1 })
    expect(alive.items[0]?.provenance.embedder).toContain('http:m')
    expect(alive.warnings).toEqual([])
    await server[Symbol.asyncDispose]()
    // Of a question that was asked before the vector is known.
    const { items, warnings } = await store.search({ ...everything, query: 'pause the router', limit: 1 })
    expect(items[0]?.kind).toBe('document')
    expect(warnings).toEqual([expect.stringContaining('documents by vector could not be searched')])
    await expect(store.addDocument({ ...note, text: 'Another.' })).rejects.toBeInstanceOf(EmbedderError)
    expect(await store.documents()).toHaveLength(1)
    await expectPipelineGoesOn(store)
  })

  test('one that never answers holds up no write, and the end neither', async () => {
    await using folder = await temporaryFolder()
    const asked = Promise.withResolvers<void>()
    await using server = await startEmbedderServer(8, () => () => asked.resolve())
    const store = await openIn(folder.path, { ...options, embedder: endpoint(server.url) })
    await store.apply(history)
    const adding = store.addDocument(note).then(
      () => 'added',
      (error: unknown) => error,
    )
    await asked.promise
    await expectPipelineGoesOn(store)
    await store.close()
    expect(await adding).toMatchObject({ name: 'VectorStoreError', code: 'CLOSED' })
  })
})

describe('hostile questions', () => {
  test('a megabyte of question or filter is refused, whatever it is made of', async () => {
    await using folder = await temporaryFolder()
    await using store = await openIn(folder.path)
    await store.apply([blockEntry(1)])
    const megabyte = 2 ** 20
    for (const text of ['x', '0xab ', '«', ' ', "' OR 1=1 --"]) {
      const long = text.repeat(megabyte / text.length)
      await expect(store.search({ ...everything, query: long })).rejects.toThrow(
        expect.objectContaining({ code: 'QUERY_TOO_LONG' }),
      )
      await expect(store.search({ ...everything, filter: `block > 1 OR ${long}` })).rejects.toThrow(
        FilterError,
      )
    }
    await expect(store.search({ ...everything, query: 'word '.repeat(1_600) })).rejects.toThrow(QueryError)
    await expect(store.neighbours({ id: '0x'.repeat(megabyte) })).rejects.toThrow(QueryError)
  })

  test.each([
    'AND OR NOT',
    '"unbalanced',
    'a:b ^2 ~3 *?',
    '(((((',
    "'; DROP TABLE documents; --",
    '\\u0000 \u0000 \ud800',
    '+must -not [a TO b]',
    '0x',
    '🙂🙂🙂',
  ])('full text takes %j as words', async (query) => {
    await using folder = await temporaryFolder()
    await using store = await openIn(folder.path)
    await store.apply([blockEntry(1)])
    await store.addDocument(note)
    const asked = store.search({ ...everything, query })
    await asked.then(
      ({ warnings }) => expect(warnings.join('; ')).not.toContain('could not be searched'),
      (error: unknown) => expect(error).toBeInstanceOf(QueryError),
    )
  })

  test('two hundred at once all answer, each as it would alone', async () => {
    await using folder = await temporaryFolder()
    await using store = await openIn(folder.path, options)
    await store.apply(history)
    await store.addDocument(note)
    const ask = () => store.search({ query: `router transfers to:${id}`, limit: 5, tokens: 2_000 })
    const expected = await ask()
    const answers = await Promise.all(Array.from({ length: 200 }, ask))
    for (const answer of answers) expect(answer).toEqual(expected)
  })

  test('a store whose process dies under fifty questions answers them all', async () => {
    await using folder = await temporaryFolder()
    await using apart = await openApart(folder.path, options)
    const { store, pid } = apart
    await store.apply(history)
    const asked = Array.from({ length: 50 }, () =>
      store.search({ ...everything, query: `transfers to:${id}` }),
    )
    process.kill(pid(), 'SIGKILL')
    const answers = await Promise.all(asked)
    for (const answer of answers) expect(answer.items).toEqual(answers[0]!.items)
    expect(answers[0]!.items.length).toBeGreaterThan(0)
    await store.apply([blockEntry(11)])
  })
})

describe('a full disk', () => {
  test.skipIf(noLimitedFolder)(
    'writes fail with a word, questions go on, and nothing is lost once there is room',
    async () => {
      await using disk = await limitedFolder(64)
      const path = join(disk.path, 'vector')
      await using store = await openIn(path, options)
      await store.apply(history)
      disk.fill()
      const failed = async (work: Promise<unknown>) => {
        const error = await work.then(
          () => undefined,
          (cause: unknown) => cause,
        )
        expect(error).toBeInstanceOf(VectorStoreError)
        expect(error).toMatchObject({
          code: 'STORE_FAILED',
          message: expect.stringContaining('disk is full'),
        })
      }
      await failed(store.apply([blockEntry(11), blockEntry(12)]))
      await failed(store.addDocument(note))
      expect((await store.search({ ...everything, query: 'transfers' })).items.length).toBeGreaterThan(0)
      expect((await store.neighbours({ id })).edges.length).toBeGreaterThan(0)
      disk.release()
      await store.apply([blockEntry(11), blockEntry(12)])
      await store.addDocument(note)
      await using fresh = await temporaryFolder()
      await using sound = await openIn(fresh.path, options)
      await sound.apply([...history, blockEntry(11), blockEntry(12)])
      expect(await store.neighbours({ id, hops: 3 })).toEqual(await sound.neighbours({ id, hops: 3 }))
      expect((await store.stats()).transactions.rows).toBe((await sound.stats()).transactions.rows)
    },
  )

  test('the same where files may not grow, which needs no privilege', () => {
    const child = fileURLToPath(new URL('./fullDiskChild.ts', import.meta.url))
    const run = spawnSync(
      'sh',
      ['-c', `ulimit -f 2048; exec "${process.execPath}" --disable-warning=ExperimentalWarning "${child}"`],
      {
        encoding: 'utf8',
        timeout: 120_000,
      },
    )
    expect(run.status, run.stderr).toBe(0)
    expect(JSON.parse(run.stdout)).toEqual({
      apply: 'STORE_FAILED',
      document: 'STORE_FAILED',
      found: true,
      repeated: true,
    })
  })
})
