import { existsSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Table } from '@lancedb/lancedb'
import type { Logger } from 'pino'
import { VectorStoreError } from '../errors.ts'
import type { StoredRow } from '../query/describeRow.ts'
import { errorText } from '../store/failure.ts'
import type { Progress } from '../store/progress.ts'
import { inTransaction } from './inTransaction.ts'
import { createRowIndex, type RowIndex } from './rowIndex.ts'
import { placeOf } from './rowPlaces.ts'
import { applicationId, createIndices, createTables, layout, type RowTable, rowColumns } from './rowSchema.ts'
import { createTextRows } from './textRows.ts'

export type OpenRowsOptions = {
  readonly directory: string
  readonly chainId: bigint
  readonly readOnly: boolean
}

/** Small: what is read again the system keeps, and this counts as memory of the process, which is replaced for it. */
const cacheKiB = 8 * 1024
const walBytes = 16 * 2 ** 20
/** LIKE as LanceDB has it, upper and lower case apart. */
const settings = `PRAGMA cache_size = -${cacheKiB}; PRAGMA case_sensitive_like = ON`
/** Findings kept when the file is made anew, the newest. */
const mostFindings = 1_000_000
/** Rows after which the making anew says how far it is. */
const progressRows = 50_000

/** The file beside the tables. */
export function rowsFile(directory: string): string {
  return join(directory, 'rows.sqlite')
}

const suffixes = ['', '-wal', '-shm']
const asideFile = (directory: string) => join(directory, 'rows.damaged.sqlite')

/** Takes a file that is damaged out of the way: the next opening makes another, and takes over what can be read of this one. */
export function setRowsAside(directory: string): void {
  removeAside(directory)
  for (const suffix of suffixes)
    if (existsSync(`${rowsFile(directory)}${suffix}`))
      renameSync(`${rowsFile(directory)}${suffix}`, `${asideFile(directory)}${suffix}`)
}

function removeAside(directory: string): void {
  for (const suffix of suffixes) rmSync(`${asideFile(directory)}${suffix}`, { force: true })
}

/** Whether SQLite found a file that is not, or no longer, as it writes them: `SQLITE_CORRUPT`, `SQLITE_NOTADB`. */
export function isDamaged(error: unknown): boolean {
  const { errcode } = error as { errcode?: unknown }
  return typeof errcode === 'number' && [11, 26].includes(errcode & 0xff)
}

/**
 * Opens the row index of a folder. A writer makes it anew from the tables where it is missing, of another layout, unreadable or not as
 * far as they are; that took 39 s for 1 048 960 rows, and is logged. A reader takes what is there, and
 * throws `VectorStoreError` `TABLE_MISSING` where there is nothing.
 */
export async function openRows(
  { directory, chainId, readOnly }: OpenRowsOptions,
  tables: Readonly<Record<RowTable, Table>>,
  { asOf }: Progress,
  { logger }: { readonly logger: Logger },
): Promise<RowIndex> {
  const file = rowsFile(directory)
  if (readOnly) return openForReading(file, chainId)
  const { rows, problem } = await openExisting(file, chainId, tables, asOf)
  if (rows) return rows
  const started = performance.now()
  if (existsSync(file)) setRowsAside(directory)
  const findings = readFindings(asideFile(directory), chainId, asOf)
  const lost = findings
    ? undefined
    : `memories: findings up to block ${asOf?.number} are lost: ${file} was missing or damaged, and was made anew`
  if (problem !== undefined) logger.warn({ file, problem, lost }, 'Making the row index anew from the tables')
  const database = openForWriting(file)
  try {
    inTransaction(database, () => {
      for (const statement of createTables) database.exec(statement)
      database.prepare('INSERT INTO reached("chainId") VALUES (?)').run(String(chainId))
    })
    const made = createRowIndex(database, lost)
    made.texts.add('memories', findings ?? [])
    // It is as large as what comes now; were that cut short, the findings would be taken over once more.
    removeAside(directory)
    const count = await fill(made, tables, asOf, (filled) =>
      logger.info({ file, rows: filled }, 'Making the row index'),
    )
    inTransaction(database, () => {
      for (const statement of createIndices) database.exec(statement)
    })
    if (asOf !== undefined) made.apply({ ...nothing, from: asOf.number + 1n, reached: asOf })
    if (count > 0)
      logger.info({ file, rows: count, seconds: (performance.now() - started) / 1000 }, 'Made the row index')
    return made
  } catch (error) {
    database.close()
    throw error
  }
}

/** Of a file that is left, what cannot be made again; undefined where it cannot be read and there may have been some. */
function readFindings(
  file: string,
  chainId: bigint,
  asOf: Progress['asOf'],
): readonly StoredRow[] | undefined {
  if (asOf === undefined) return []
  if (!existsSync(file)) return undefined
  let database: DatabaseSync | undefined
  try {
    database = openForWriting(file)
    // Of any layout: findings have been kept in the same way so far, and where not that shows.
    if (strangenessOf(database, chainId) !== undefined) return undefined
    const isFinding = [`"memoryKind" = 'finding'`, `"toBlock" <= ${asOf.number}`]
    return createTextRows(database).newest('memories', isFinding, mostFindings)
  } catch {
    return undefined
  } finally {
    database?.close()
  }
}

function openForReading(file: string, chainId: bigint): RowIndex {
  if (!existsSync(file)) {
    throw new VectorStoreError(
      'TABLE_MISSING',
      `vector store: expected ${file}, found none: start the sidecar with this folder once, which makes it from the tables`,
      { facts: { file } },
    )
  }
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(file, { readOnly: true, timeout: 2000 })
    database.exec(settings)
    const difference = differenceOf(database, chainId)
    if (difference !== undefined) throw new Error(difference)
    return createRowIndex(database)
  } catch (cause) {
    database?.close()
    throw new VectorStoreError(
      'STORE_DAMAGED',
      `vector store: expected a readable row index at ${file}, got: ${errorText(cause)}. Remove the file and start the sidecar ` +
        'with this folder once, which makes it from the tables.',
      { cause, facts: { file } },
    )
  }
}

/** The index that is there, where it can be gone on with; else why not. */
async function openExisting(
  file: string,
  chainId: bigint,
  tables: Readonly<Record<RowTable, Table>>,
  asOf: Progress['asOf'],
): Promise<{ readonly rows?: RowIndex; readonly problem?: string }> {
  if (!existsSync(file)) return asOf === undefined ? {} : { problem: 'there is none' }
  let database: DatabaseSync | undefined
  try {
    database = openForWriting(file)
    let problem = differenceOf(database, chainId)
    if (problem === undefined) {
      const rows = createRowIndex(database)
      problem = await shortfall(rows, tables.transactions, asOf ?? before)
      if (problem === undefined) return { rows }
    }
    database.close()
    return { problem }
  } catch (cause) {
    database?.close()
    return { problem: errorText(cause) }
  }
}

/** Stands for the newest block of a store that has none. */
const before = { number: -1n, hash: '' }

/** In what the rows are not those of the table up to its newest block; rows above it are cut with the next write. */
async function shortfall(
  rows: RowIndex,
  transactions: Table,
  asOf: { readonly number: bigint; readonly hash: string },
): Promise<string | undefined> {
  const { number, hash } = rows.reached() ?? before
  const isOther = number === asOf.number && hash !== asOf.hash
  if (number < asOf.number || isOther)
    return `it ends at block ${number} ${hash}, the tables at ${asOf.number} ${asOf.hash}`
  const [has, expected] = [
    rows.count(asOf.number),
    await transactions.countRows(`\`blockNumber\` <= ${asOf.number}`),
  ]
  if (has !== expected) return `it has ${has} rows, the table ${expected}`
  const [newest] = rows.newest('transactions', [`"blockNumber" <= ${asOf.number}`], 1)
  if (!newest) return undefined
  const ids = await transactions
    .query()
    .where(`\`blockNumber\` = ${newest.blockNumber}`)
    .select(['id'])
    .withRowId()
    .toArray()
  const known = rows.byKeys('transactions', ids.map(placeOf))
  const isSame = new Set(known.map(({ id }) => id)).isSupersetOf(new Set(ids.map(({ id }) => id)))
  return isSame ? undefined : 'it has other row ids than the table'
}

/** Opens a file that is there, or an empty one. Throws what SQLite throws. */
export function openForWriting(file: string): DatabaseSync {
  const database = new DatabaseSync(file, { timeout: 2000 })
  try {
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
    database.exec(`${settings}; PRAGMA journal_size_limit = ${walBytes}`)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

function differenceOf(database: DatabaseSync, chainId: bigint): string | undefined {
  const found = pragma(database, 'user_version')
  const strangeness = strangenessOf(database, chainId)
  return strangeness ?? (found === layout ? undefined : `it has layout ${found}, expected ${layout}`)
}

/** What makes a file not one of this chain's, of whatever layout. */
function strangenessOf(database: DatabaseSync, chainId: bigint): string | undefined {
  if (pragma(database, 'application_id') !== applicationId) return 'it is a file of another program'
  const chain = database.prepare('SELECT "chainId" FROM reached').get()?.chainId
  return chain === String(chainId) ? undefined : `it is of chain ${chain}, expected ${chainId}`
}

function pragma(database: DatabaseSync, name: string) {
  return database.prepare(`PRAGMA ${name}`).get()?.[name]
}

const nothing = { lowest: undefined, removePatterns: [], transactions: [], upsertPatterns: [] }

/** Copies the tables' rows up to a block; returns how many. */
async function fill(
  rows: RowIndex,
  tables: Readonly<Record<RowTable, Table>>,
  asOf: Progress['asOf'],
  onProgress: (rows: number) => void,
): Promise<number> {
  if (asOf === undefined) return 0
  let count = 0
  for (const name of ['transactions', 'patterns'] as const) {
    const names = rowColumns[name].map((column) => column.name)
    const query = tables[name].query().select(names)
    if (name === 'transactions') query.where(`\`blockNumber\` <= ${asOf.number}`).withRowId()
    for await (const batch of query) {
      const stored = batch.toArray() as StoredRow[]
      const isStep = Math.floor((count + stored.length) / progressRows) > Math.floor(count / progressRows)
      count += stored.length
      if (isStep) onProgress(count)
      if (name === 'patterns') rows.addPatterns(stored)
      else rows.addTransactions(stored.map((row) => ({ place: placeOf(row), row })))
    }
  }
  return count
}
