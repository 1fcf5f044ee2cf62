/**
 * Searching a large store, and how much of what is nearest is found: `node bench/vector/scale.ts [--rows N] [--queries N]
 * [--ingest-seconds N] [--index-cache-mib N] [--exact-rows N] [--directory DIR] [--json FILE]`. 1 000 000 rows by default, made of recorded
 * transactions with fresh senders at each repetition; a fifth of them, by hash, are marked as for the SVM.
 *
 * The store runs in a process of its own, with the settings of a sidecar. Recall is against the exact search of the same rows: a row
 * counts when it is as near as the tenth, since rows with the same features are equally near. With `--directory` the store stays
 * there, and a second run searches what the first has written. Its files are read once before they are searched.
 */
import { createReadStream } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { connect, Session, type Table } from '@lancedb/lancedb'
import pino from 'pino'
import { embedTransaction, type MaintenanceEvent, openVectorStore, type SearchRequest } from '#vector'
import { parseFilter } from '../../vector/filter/parseFilter.ts'
import { createHeldRows } from '../../vector/held/heldRows.ts'
import { createPatternVectors } from '../../vector/held/patternVectors.ts'
import { parseQuery } from '../../vector/query/parseQuery.ts'
import { planLegs } from '../../vector/query/planLegs.ts'
import { nearestRows, readLate } from '../../vector/query/structuredLegs.ts'
import { openRows } from '../../vector/rows/openRows.ts'
import { hasVectorIndex, suits, vectorIndices } from '../../vector/store/maintenance.ts'
import { createStoredVectors } from '../../vector/store/storedVectors.ts'
import { megabytes, printTable, report, spread, timed } from './measure.ts'
import { manyEntries, questionOf, recordedTransactions } from './recordedQuestions.ts'

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    queries: { type: 'string', default: '200' },
    'ingest-seconds': { type: 'string', default: '60' },
    'index-cache-mib': { type: 'string', default: '64' },
    'exact-rows': { type: 'string', default: '1500000' },
    directory: { type: 'string' },
    json: { type: 'string' },
  },
})
const rows = Number(values.rows)
const queries = Number(values.queries)
/** Of more, those that the index has are searched through it: 0 measures the index. */
const exactRows = Number(values['exact-rows'])
/** As a sidecar keeps of a busy block: its envelopes, and some others. */
const rowsPerBlock = 40
const blocksPerCall = 25
const rowsPerCall = rowsPerBlock * blocksPerCall
const epochBlocks = 25
/** For a compaction, which takes a minute at a million rows. */
const patienceMs = 10 * 60_000
const limit = 10
/** Questions asked before they are timed: the code of a process that has answered fewer is not compiled yet, and takes half as long again. */
const warming = 500
/** Candidates that an answer of ten looks at. */
const wanted = 40

/** Documents to search beside the rows: this project's own. */
const texts = ['README.md', 'CONTRIBUTING.md', 'DECISIONS.md', 'config/README.md', 'harness/README.md']
const textQuestions = [
  'how are reorgs undone',
  'what is written before a height is acknowledged',
  'chaos faults and recovery',
  'failed swaps and how they are routed',
]

const transactions = recordedTransactions()
const directory = values.directory ?? (await mkdtemp(join(tmpdir(), 'vector-scale-')))
const events: MaintenanceEvent[] = []
const results: Record<string, unknown> = {
  rows,
  machine: `${cpus().length} x ${cpus()[0]?.model}`,
  node: process.version,
}
const cacheBytes = Number(values['index-cache-mib']) * 2 ** 20
const metadataCacheBytes = 32 * 2 ** 20
// As the store's process has it.
process.env.LANCE_CPU_THREADS ??= String(Math.max(1, cpus().length - 1))
await using store = await openVectorStore(
  {
    directory,
    chainId: 1n,
    indexCacheBytes: cacheBytes,
    metadataCacheBytes,
    optimizeEvery: 50,
    epochBlocks,
    keepVersionsMs: 10_000,
    exactRows,
    process: { memoryBytes: 256 * 2 ** 20 },
  },
  { logger: pino({ level: 'warn' }, pino.destination(2)), onMaintenance: (event) => events.push(event) },
)

const entries = manyEntries(transactions, rowsPerBlock)
const there = (await store.stats()).transactions.rows
let written = 0
let writing = 0
while (written < rows) {
  const blocks = Array.from({ length: blocksPerCall }, () => entries.next().value)
  written += rowsPerCall
  if (written <= there) continue
  writing += await timed(() => store.apply(blocks))
  if (written % 50_000 === 0)
    console.error(
      `${written} rows, ${Math.round(((written - there) * 1000) / writing)} rows/s, ${megabytes(store.rssBytes())} resident`,
    )
}
if (there < rows) {
  note('insert rate, 25 blocks of 40 rows a call', `${Math.round(((rows - there) * 1000) / writing)} rows/s`)
  const compactions = events.filter(({ job }) => job === 'optimize')
  const seconds = compactions.map((event) => event.seconds * 1000)
  note(`compactions meanwhile (${compactions.length})`, compactions.length === 0 ? '-' : spread(seconds))
}
// Written at full speed graph and index are behind; what is measured is the state most questions meet: a compaction begun after the last of
// these writes has told what the index holds.
const more = manyEntries(transactions, rowsPerBlock, BigInt((await store.stats()).asOf?.number ?? 0) + 1n)
const filledAt = Date.now()
const beganAt = ({ atMs, seconds }: MaintenanceEvent) => atMs - seconds * 1000
while (!events.some((event) => event.job === 'optimize' && event.ok && beganAt(event) > filledAt)) {
  if (Date.now() > filledAt + patienceMs) {
    const last = events.findLast(({ job }) => job === 'optimize')
    throw new Error(
      `expected a compaction within ${patienceMs / 60_000} minutes, got ${last?.error ?? 'none'}`,
    )
  }
  await store.apply([more.next().value])
  await delay(500)
}
const lastEpoch = BigInt(Math.floor((rows / rowsPerBlock + 1) / epochBlocks) * epochBlocks - 1)
for (;;) {
  const { consolidatedTo = -1n } = await store.stats()
  if (consolidatedTo >= lastEpoch && (rows <= exactRows || (await isIndexed()))) break
  if (Date.now() > filledAt + 2 * patienceMs)
    throw new Error(`expected epochs to ${lastEpoch} and an index, got epochs to ${consolidatedTo}`)
  // An index that was built a moment ago is looked at again after the next compaction.
  await store.apply([more.next().value])
  await delay(2_000)
}
for (const { seconds } of events.filter(({ job }) => job === 'vectorIndex'))
  note('approximate index, built beside the writes', `${seconds.toFixed(0)} s`)
const stats = await store.stats()
note('on disk', megabytes(stats.bytesOnDisk))
note("resident, the store's process and its jobs after writing", megabytes(store.rssBytes()))

for (const title of texts) {
  const text = await readFile(new URL(`../../${title}`, import.meta.url), 'utf8')
  await store.addDocument({ title, kind: 'note', text })
}

await readAll()
await measureTable()
await readAll()
await measureAnswers()
await measureUnderIngest()
note("resident, the store's process and its jobs at the end", megabytes(store.rssBytes()))
printTable()
if (values.json) await writeFile(values.json, `${JSON.stringify(results, undefined, 1)}\n`)
if (!values.directory) {
  await store.close()
  await rm(directory, { recursive: true, force: true })
}

function note(what: string, result: string): void {
  report(what, result)
  results[what] = result
}

/** Whether none is about to be built: the last compaction has begun that. */
async function isIndexed(): Promise<boolean> {
  const connection = await connect(directory)
  try {
    const table = await connection.openTable('transactions')
    const [index] = await vectorIndices(table)
    return index !== undefined && suits(index, await table.countRows())
  } finally {
    connection.close()
  }
}

/** So that the system's page cache has them, which some machines empty within a minute. */
async function readAll(): Promise<void> {
  const names = await readdir(directory, { recursive: true, withFileTypes: true })
  for (const entry of names) {
    if (!entry.isFile()) continue
    // Compaction removes some of them meanwhile.
    const chunks = createReadStream(join(entry.parentPath, entry.name), { highWaterMark: 1 << 20 })
    await finished(chunks.resume()).catch(() => undefined)
  }
}

/** One table, in this process: exact, as answers search it, and with filters, each with its recall. */
async function measureTable(): Promise<void> {
  const connection = await connect(directory, {}, new Session(BigInt(cacheBytes), BigInt(metadataCacheBytes)))
  const table = await connection.openTable('transactions')
  const patterns = await connection.openTable('patterns')
  const nothing = { asOf: undefined, finalized: undefined }
  const index = await openRows(
    { directory, chainId: 1n, readOnly: true },
    { transactions: table, patterns },
    nothing,
    { logger: pino({ level: 'warn' }) },
  )
  const hasIndex = await hasVectorIndex(table)
  const loading = performance.now()
  const held = createHeldRows(index, {
    hasIndex,
    most: exactRows,
    stored: createStoredVectors(table),
  })
  await held.loaded
  note('reading them', `${(performance.now() - loading).toFixed(0)} ms`)
  note('rows searched in memory', String(held.vectors()?.size() ?? 'none'))
  for (const { name, columns } of await table.listIndices()) {
    const stats = await table.indexStats(name)
    if (columns.includes('embedding'))
      note('rows in the approximate index', `${stats?.numIndexedRows}, ${stats?.numUnindexedRows} not yet`)
  }
  const newest = Math.floor((rows / rowsPerBlock) * 0.9)
  const filters = {
    'no filter': '',
    'a fifth of the rows (svm)': 'svm',
    'a tenth, the newest blocks': `blockNumber > ${newest}`,
  }
  // Each from another place of the recording, so that none is the next one's neighbour.
  const vectors = Array.from({ length: queries }, (_, index) => {
    const entry = manyEntries([transactions[(index * 97) % transactions.length]!], 1).next().value
    return embedTransaction({
      ...entry.rows[0]!,
      from: `0x${'0'.repeat(38)}${(index % 256).toString(16).padStart(2, '0')}`,
    })
  })
  const uses = {
    ...{ transactions: table, patterns, rows: index, hasDocuments: false },
    held: { transactions: held, patterns: createPatternVectors(index) },
  }
  const now = { finalized: undefined, newest: index.reached()?.number, asOf: undefined }
  for (const [name, text] of Object.entries(filters)) {
    const filter = text === '' ? undefined : parseFilter(text)
    const [leg] = planLegs(uses, parseQuery(''), filter, now).legs.structured
    const { where } = leg!
    const exact: number[][] = []
    const flat: number[] = []
    for (const vector of vectors.slice(0, Math.min(100, queries)))
      flat.push(await timed(async () => exact.push(await exactDistances(table, vector, where))))
    note(`LanceDB's exact search, ${name}`, spread(flat))
    // As answers do: of what is near the rows that are shown are read.
    const search = async (vector: Float32Array) => {
      const near = await nearestRows(leg!, vector, wanted, false)
      return readLate(
        index,
        near.slice(0, limit).map((found) => ({ found })),
      )
    }
    for (const vector of vectors.slice(0, 20)) await search(vector)
    const times: number[] = []
    let found = 0
    for (const [place, vector] of vectors.entries()) {
      let near: Awaited<ReturnType<typeof search>> = []
      times.push(await timed(async () => (near = await search(vector))))
      const tenth = exact[place]?.at(-1)
      if (tenth === undefined) continue
      found += near.filter(({ found: { distance } }) => distance! <= tenth + 1e-6).length
    }
    note(`search, ${name}`, `${spread(times)}, recall@10 ${(found / (exact.length * limit)).toFixed(3)}`)
  }
  await held.stop()
  index.close()
  table.close()
  connection.close()
}

async function exactDistances(
  table: Table,
  vector: Float32Array,
  where: readonly string[],
): Promise<number[]> {
  const query = table
    .query()
    .nearestTo(vector)
    .distanceType('cosine')
    .bypassVectorIndex()
    .select(['id', '_distance'])
    .limit(limit)
  if (where.length > 0) query.where(where.join(' AND '))
  const rows = await query.toArray()
  return rows.map((row: { _distance: number }) => row._distance).sort((a: number, b: number) => a - b)
}

/** Whole answers, through the process: read, embed, every table, fuse, pack. */
async function measureAnswers(): Promise<void> {
  const all: number[] = []
  const kinds = new Map<string, number[]>()
  // Other questions than are measured: what is measured is a process that has answered some.
  for (const request of requests(warming, 2 * queries)) await store.search(request)
  for (const request of requests(queries * 2)) {
    const took = await timed(() => store.search(request))
    all.push(took)
    const kind = kindOf(request)
    kinds.set(kind, [...(kinds.get(kind) ?? []), took])
  }
  for (const [kind, times] of [...kinds].sort()) note(`answers, ${kind} (${times.length})`, spread(times))
  note('answers, all', spread(all))
}

/** The same questions while 500 rows a second are written. */
async function measureUnderIngest(): Promise<void> {
  const seconds = Number(values['ingest-seconds'])
  if (seconds === 0) return
  const end = performance.now() + seconds * 1000
  const before = events.length
  let ingested = 0
  const applies: number[] = []
  const times: number[] = []
  const started = performance.now()
  const ingest = async () => {
    while (performance.now() < end) {
      const came =
        Math.floor(((performance.now() - started) * 500) / 1000 / rowsPerBlock) - ingested / rowsPerBlock
      const blocks = Array.from({ length: came }, () => more.next().value)
      if (came > 0) applies.push(await timed(() => store.apply(blocks)))
      ingested += came * rowsPerBlock
      // As the sidecar does: it gathers what comes within half a second.
      await delay(500)
    }
  }
  const ask = async () => {
    while (performance.now() < end)
      for (const request of requests(queries)) {
        if (performance.now() >= end) return
        times.push(await timed(() => store.search(request)))
      }
  }
  await Promise.all([ingest(), ask()])
  note(
    `rows written meanwhile`,
    `${Math.round(ingested / seconds)}/s, ${spread(applies)} for what half a second brings`,
  )
  note(`answers under ingest (${times.length}, one after another)`, spread(times))
  const compactions = events.slice(before).filter(({ job }) => job === 'optimize')
  note(
    'compactions under ingest',
    compactions.length === 0
      ? 'none'
      : `${compactions.length}, ${spread(compactions.map((event) => event.seconds * 1000))}`,
  )
}

function* requests(count: number, first = 0): Generator<SearchRequest> {
  for (let index = first; index < first + count; index += 1) {
    const transaction = transactions[(index * 7919) % transactions.length]!
    const filter = index % 5 === 4 ? "outcome = 'failed'" : undefined
    const isText = index % 10 === 3
    const query = isText ? textQuestions[(index / 10) & 3]! : questionOf(transaction)
    yield { query, filter, limit, tokens: 4000 }
  }
}

function kindOf({ query, filter }: SearchRequest): string {
  if (textQuestions.includes(query)) return 'words (hybrid)'
  const kind = query
    .replace(/0x[0-9a-f]{64}/, 'HASH')
    .replace(/0x[0-9a-f]{40}/, 'ADDRESS')
    .replace(/0x[0-9a-f]{8}/, 'SELECTOR')
  return filter === undefined ? kind : `${kind}, filtered`
}
