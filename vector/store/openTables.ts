import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Connection, connect, Index, Session, type Table } from '@lancedb/lancedb'
import { VectorStoreError } from '../errors.ts'
import { errorText } from './failure.ts'
import {
  isEarlier,
  type StoreTable,
  scalarIndices,
  schemaDifference,
  storeTables,
  tableSchema,
} from './schema.ts'

export type StoreHandles = {
  readonly connection: Connection
  readonly tables: Readonly<Record<StoreTable, Table>>
}

export type OpenOptions = {
  readonly directory: string
  readonly chainId: bigint
  readonly indexCacheBytes: number
  readonly metadataCacheBytes: number
  readonly readOnly: boolean
}

/** LanceDB's caches, of what it has read of indices and of what it knows of files. */
export function createSession({
  indexCacheBytes,
  metadataCacheBytes,
}: Pick<OpenOptions, 'indexCacheBytes' | 'metadataCacheBytes'>): Session {
  return new Session(BigInt(indexCacheBytes), BigInt(metadataCacheBytes))
}

/**
 * Opens the tables of a folder, or makes them in an empty one. `progress` is made last and marks the store as whole, so a
 * creation that was cut short is completed at the next start.
 * Throws `VectorStoreError`: `STORE_MISSING` (read-only and nothing there), `TABLE_MISSING`, `STORE_MISMATCH` (other
 * layout, embedder or chain), `STORE_DAMAGED` (files that cannot be read). Nothing is ever deleted or overwritten.
 */
export async function openTables(options: OpenOptions): Promise<StoreHandles> {
  const { directory, readOnly } = options
  // Asked before connecting: LanceDB makes the folder.
  if (readOnly && !existsSync(directory)) throw missingStore(directory)
  // 0: look for newer versions at every read. A writer's own handle is always current.
  const consistency = readOnly ? { readConsistencyInterval: 0 } : {}
  const connection = await connect(directory, consistency, createSession(options)).catch((cause: unknown) => {
    throw new VectorStoreError(
      'STORE_FAILED',
      `vector store: cannot open the folder ${directory}: ${errorText(cause)}`,
      {
        cause,
        facts: { directory },
      },
    )
  })
  try {
    const names = await connection.tableNames()
    const whole = names.includes('progress')
    if (!whole && readOnly) throw missingStore(directory)
    const tables: Partial<Record<StoreTable, Table>> = {}
    for (const name of storeTables)
      tables[name] = await openTable(connection, name, { ...options, names, whole })
    return { connection, tables: tables as Record<StoreTable, Table> }
  } catch (error) {
    connection.close()
    throw error
  }
}

type TableContext = OpenOptions & { readonly names: readonly string[]; readonly whole: boolean }

async function openTable(connection: Connection, name: StoreTable, context: TableContext): Promise<Table> {
  const { directory, chainId, readOnly } = context
  const path = join(directory, `${name}.lance`)
  if (context.whole && !context.names.includes(name)) throw missingTable(name, directory)
  // A folder without versions is what remains when the making of a table was cut short: nothing was ever in it.
  const begun = context.names.includes(name) && (context.whole || existsSync(join(path, '_versions')))
  try {
    const table = begun
      ? await connection.openTable(name)
      : await createTable(connection, name, { as: name, chainId })
    const schema = await table.schema()
    const difference = schemaDifference(schema, tableSchema(name, chainId))
    if (difference && isEarlier(schema, chainId)) throw tooEarly(path)
    if (difference) throw mismatch(path, difference.expected, difference.came)
    await checkReadable(table)
    if (!context.whole && (await table.countRows()) > 0) throw missingTable('progress', directory)
    if (!readOnly) await completeTable(table, name)
    return table
  } catch (cause) {
    if (cause instanceof VectorStoreError) throw cause
    throw new VectorStoreError(
      'STORE_DAMAGED',
      `vector store: expected a readable table at ${path}, got: ${errorText(cause)}. Restore the folder from a copy, or move it ` +
        'away and let it be rebuilt; it is left as it is.',
      { cause, facts: { directory, table: name } },
    )
  }
}

/**
 * Makes an empty table of a kind. LanceDB's row id of a transaction is what the row index knows it by: it must outlast compaction.
 * @param kind whose columns it has
 */
export function createTable(
  connection: Connection,
  kind: StoreTable,
  { as, chainId }: { readonly as: string; readonly chainId: bigint },
): Promise<Table> {
  return connection.createEmptyTable(as, tableSchema(kind, chainId), {
    mode: 'create',
    storageOptions: kind === 'transactions' ? { newTableEnableStableRowIds: 'true' } : {},
  })
}

/** Reads one row whole: opening alone reads the manifest, not the data. Damage further in shows when it is read. */
async function checkReadable(table: Table): Promise<void> {
  await table.query().limit(1).toArray()
}

/** The primary key makes concurrent upserts of one key safe: LanceDB silently duplicates rows without it. */
async function completeTable(table: Table, name: StoreTable): Promise<void> {
  const id = (await table.schema()).fields.find((field) => field.name === 'id')
  if (!id?.metadata.has('lance-schema:unenforced-primary-key:position'))
    await table.setUnenforcedPrimaryKey('id')
  const wanted = Object.entries(scalarIndices[name])
  if (wanted.length === 0) return
  const present = new Set((await table.listIndices()).flatMap((index) => index.columns))
  for (const [column, kind] of wanted) {
    if (!present.has(column))
      await table.createIndex(column, { config: kind === 'btree' ? Index.btree() : Index.bitmap() })
  }
}

function missingStore(directory: string): VectorStoreError {
  return new VectorStoreError(
    'STORE_MISSING',
    `vector store: expected a store in ${directory}, found none: start the sidecar with this folder once, or name another`,
    { facts: { directory } },
  )
}

function missingTable(table: string, directory: string): VectorStoreError {
  return new VectorStoreError(
    'TABLE_MISSING',
    `vector store: expected the table '${table}' in ${directory}, found the others without it. Restore the folder from a copy, or ` +
      'move it away and let it be rebuilt.',
    { facts: { directory, table } },
  )
}

function tooEarly(path: string): VectorStoreError {
  return new VectorStoreError(
    'STORE_MISMATCH',
    `vector store: ${path} is of an earlier version: start the sidecar with this folder once, which brings it up to date`,
    { facts: { path } },
  )
}

function mismatch(path: string, expected: string, came: string): VectorStoreError {
  return new VectorStoreError(
    'STORE_MISMATCH',
    `vector store: ${path} was made for something else: expected ${expected}, found ${came}. Use another folder for this ` +
      'configuration, or move this one away and let it be rebuilt.',
    { facts: { path, expected, came } },
  )
}
