import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Connection, Table } from '@lancedb/lancedb'
import { Field, FixedSizeList, Float32, Schema } from 'apache-arrow'
import { VectorStoreError } from '../errors.ts'
import { errorText } from '../store/failure.ts'
import type { Embedder } from './embedder.ts'
import type { EmbedderRecord } from './openEmbedder.ts'
import { type ReembedOptions, type ReembedProgress, reembed } from './reembed.ts'
import {
  isEmptyDifference,
  type TableDifference,
  type TextColumns,
  tableDifference,
} from './tableDifference.ts'
import {
  type EmbeddedTable,
  readTableState,
  type TableState,
  tableStatePath,
  writeTableState,
} from './tableState.ts'

export type ServingTableOptions = {
  readonly connection: Connection
  /** Folder of the connection; the state file is kept there. */
  readonly directory: string
  /** What the tables are called before the embedder's name: `documents`. Letters, digits and `_`. */
  readonly name: string
  /** The one configured: of a table that is made now, and the only one a change to which is continued. A table that is there keeps its own. */
  readonly embedder: EmbedderRecord
  /** Every column but the vector, in stored order. */
  readonly fields: readonly Field[]
  /** Of the schema; the embedder's id and dimensions are added. */
  readonly metadata: ReadonlyMap<string, string>
  /** Default `id`, `text` and `embedding`. `id` is the primary key, `id` and `text` are text. */
  readonly columns?: TextColumns
  /** Primary key and indices, where they are not there yet; called for every table that is opened for writing. */
  readonly complete: (table: Table) => Promise<void>
  readonly readOnly: boolean
}

/** A table, and the embedder that questions to it must be embedded with. */
export type Serving = { readonly table: Table; readonly embedder: EmbedderRecord }

/** A name behind which one table follows another as the embedder changes, each with vectors of one embedder only. */
export type ServingTable = {
  /**
   * Works with the table that answers now, to read it or, within the write queue, to write it. It stays until the work ends, also
   * where another follows it meanwhile: so it is asked for anew each time. Work of a reader may be run twice.
   */
  use<T>(work: (serving: Serving) => Promise<T>): Promise<T>
  /**
   * Embeds every row with another embedder into a table of its own, then puts that one in place. Until then the old one answers.
   * Killed, aborted or failed at any point, the same call continues; another embedder begins anew. Does nothing where the embedder
   * is the one in use. One at a time.
   *
   * `exclusive` runs work while no row is written: the last rows and the change of tables happen within. Throws what `reembed`
   * throws, and `VectorStoreError`.
   */
  reembed(
    embedder: Embedder,
    options: Omit<ReembedOptions, 'columns' | 'schema'> & {
      readonly exclusive: <T>(work: () => Promise<T>) => Promise<T>
    },
  ): Promise<void>
  /** Of the re-embedding under way, or as far as it came before it failed; undefined when there is none. */
  progress(): ReembedProgress | undefined
  /** Closes the tables; what works with them must have ended. */
  close(): void
}

/** The name of the table for one embedder: of characters that LanceDB and every file system take, and never that of another. */
export function embeddedTableName(name: string, { id, dimensions }: EmbedderRecord): string {
  const readable = id
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 40)
  const digest = createHash('sha256').update(`${id} ${dimensions}`).digest('hex').slice(0, 8)
  return `${name}--${readable}-${digest}`
}

/**
 * Opens what answers for a name, or makes it with the embedder given. What a finished or abandoned change left behind is removed,
 * unless `readOnly`. Throws `VectorStoreError`: `STORE_MISSING` (read-only and nothing there), `TABLE_MISSING`, `STORE_MISMATCH`,
 * `STORE_DAMAGED`, `STORE_FAILED`.
 */
export async function openServingTable(options: ServingTableOptions): Promise<ServingTable> {
  const { connection, directory, name, readOnly, complete } = options
  const columns = options.columns ?? { id: 'id', text: 'text', vector: 'embedding' }
  const users = new Map<Table, number>()
  /** Followed by another: dropped once nobody works with it. */
  const superseded = new Map<Table, string>()
  let progress: ReembedProgress | undefined
  let isReembedding = false
  let following: Promise<void> | undefined
  let state = await openState()
  let serving = await openServing(state)

  return {
    async use(work) {
      if (!readOnly) return await useNow(work)
      await follow()
      const used = state.table
      try {
        return await useNow(work)
      } catch (error) {
        // The writer put another table in place and dropped this one while it was read.
        if (readState()?.table === used) throw error
        await follow()
        return await useNow(work)
      }
    },
    async reembed(embedder, { exclusive, ...rest }) {
      if (readOnly) {
        throw new VectorStoreError(
          'READ_ONLY',
          `vector store: ${directory} is open for reading only: nothing was embedded again`,
        )
      }
      if (isReembedding) throw new Error(`${name} is being embedded again already`)
      isReembedding = true
      try {
        await change(embedder, exclusive, rest)
        progress = undefined
      } finally {
        isReembedding = false
      }
    },
    progress: () => progress,
    close() {
      for (const table of [serving.table, ...superseded.keys()]) table.close()
    },
  }

  async function change(
    embedder: Embedder,
    exclusive: <T>(work: () => Promise<T>) => Promise<T>,
    { onProgress, ...rest }: Omit<ReembedOptions, 'columns' | 'schema'>,
  ): Promise<void> {
    const wanted: EmbedderRecord = { id: embedder.id, dimensions: embedder.dimensions }
    const next: EmbeddedTable = { table: embeddedTableName(name, wanted), embedder: wanted }
    if (state.next && state.next.table !== next.table) {
      const { table } = state.next
      save({ ...state, next: undefined })
      await remove(table)
    }
    if (next.table === state.table) return
    // Named before it is made, so that what is found under the name is known for what it is.
    save({ ...state, next })
    const source = serving.table
    const target = await openNext(next)
    const jobOptions: ReembedOptions = {
      ...rest,
      schema: schemaOf(wanted),
      columns,
      onProgress(now) {
        progress = now
        onProgress?.(now)
      },
    }
    const run = (difference: TableDifference) => reembed(source, target, difference, embedder, jobOptions)
    try {
      for (let isDone = false; !isDone; ) {
        rest.signal?.throwIfAborted()
        const asOf = await source.version()
        const difference = await tableDifference(source, target, columns)
        await run(difference)
        if (!isEmptyDifference(difference)) continue
        // New rows are not in the indices until it is.
        await target.optimize()
        isDone = await exclusive(async () => {
          if ((await source.version()) !== asOf) {
            const last = await tableDifference(source, target, columns)
            // Whoever holds up the writers does not wait for an endpoint: new texts are for another round.
            if (last.embed.length > 0) return false
            await run(last)
          }
          save({ ...next, next: undefined })
          superseded.set(source, embeddedTableName(name, serving.embedder))
          serving = { table: target, embedder: wanted }
          return true
        })
      }
    } catch (error) {
      if (serving.table !== target) target.close()
      throw error
    }
    await dropUnused()
  }

  async function useNow<T>(work: (serving: Serving) => Promise<T>): Promise<T> {
    const used = serving
    users.set(used.table, (users.get(used.table) ?? 0) + 1)
    try {
      return await work(used)
    } finally {
      users.set(used.table, users.get(used.table)! - 1)
      await dropUnused()
    }
  }

  async function dropUnused(): Promise<void> {
    for (const [table, tableName] of superseded) {
      if ((users.get(table) ?? 0) > 0) continue
      superseded.delete(table)
      users.delete(table)
      table.close()
      // Where it cannot be removed now, the next opening does it: no answer depends on it.
      if (!readOnly) await remove(tableName).catch(() => undefined)
    }
  }

  function readState(): TableState | undefined {
    return readTableState(directory, name)
  }

  function save(next: TableState): void {
    writeTableState(directory, name, next)
    state = next
  }

  /** Of the process that writes: its tables follow its state file. */
  function follow(): Promise<void> {
    following ??= (async () => {
      const now = readState()
      if (!now || now.table === state.table) return
      const next = await openServing(now)
      superseded.set(serving.table, state.table)
      state = now
      serving = next
      await dropUnused()
    })().finally(() => {
      following = undefined
    })
    return following
  }

  async function openState(): Promise<TableState> {
    const found = readState()
    const names = await ownTables()
    if (found) {
      if (readOnly) return found
      const isWanted = found.next?.table === embeddedTableName(name, options.embedder)
      const kept = isWanted ? found : { ...found, next: undefined }
      if (kept.next !== found.next) writeTableState(directory, name, kept)
      for (const each of names) if (each !== kept.table && each !== kept.next?.table) await remove(each)
      return kept
    }
    if (readOnly) {
      throw new VectorStoreError(
        'STORE_MISSING',
        `vector store: expected ${tableStatePath(directory, name)}, found none: nothing was ever written there`,
        { facts: { directory, table: name } },
      )
    }
    // Made last, so that it is missing after a creation that was cut short; then nothing was written yet.
    for (const each of names) {
      if (await holdsRows(each)) {
        throw new VectorStoreError(
          'TABLE_MISSING',
          `vector store: expected ${tableStatePath(directory, name)} beside the table ${each}, found none. Restore it from a copy, or ` +
            'move the table away and let it be rebuilt.',
          { facts: { directory, table: each } },
        )
      }
      await remove(each)
    }
    const begun = { table: embeddedTableName(name, options.embedder), embedder: options.embedder }
    const table = await create(begun)
    table.close()
    writeTableState(directory, name, { ...begun, next: undefined })
    return { ...begun, next: undefined }
  }

  async function openServing({ table: tableName, embedder }: EmbeddedTable): Promise<Serving> {
    if (!(await ownTables()).includes(tableName)) {
      throw new VectorStoreError(
        'TABLE_MISSING',
        `vector store: expected the table '${tableName}' in ${directory}, found none. Restore the folder from a copy, or move it ` +
          'away and let it be rebuilt.',
        { facts: { directory, table: tableName } },
      )
    }
    let table: Table
    try {
      table = await connection.openTable(tableName)
    } catch (cause) {
      throw new VectorStoreError(
        'STORE_DAMAGED',
        `vector store: expected a readable table at ${join(directory, `${tableName}.lance`)}, got: ${errorText(cause)}. Restore the ` +
          'folder from a copy, or move it away and let it be rebuilt; it is left as it is.',
        { cause, facts: { directory, table: tableName } },
      )
    }
    const came = (await table.schema()).metadata.get('monmouth.embedder')
    if (came !== embedder.id) {
      table.close()
      throw new VectorStoreError(
        'STORE_MISMATCH',
        `vector store: expected vectors of ${embedder.id} in ${tableName}, found ${came ?? 'no embedder'}: their files were mixed. ` +
          'Restore the folder from a copy, or move it away and let it be rebuilt.',
        { facts: { directory, table: tableName, expected: embedder.id, came: came ?? '' } },
      )
    }
    if (!readOnly) await complete(table)
    return { table, embedder }
  }

  /** What a cut-short job left is taken up where it can be opened; it holds nothing that cannot be made again. */
  async function openNext(next: EmbeddedTable): Promise<Table> {
    if ((await ownTables()).includes(next.table)) {
      try {
        return (await openServing(next)).table
      } catch {
        await remove(next.table)
      }
    }
    return await create(next)
  }

  async function create({ table: tableName, embedder }: EmbeddedTable): Promise<Table> {
    const table = await connection.createEmptyTable(tableName, schemaOf(embedder), { mode: 'create' })
    await complete(table)
    return table
  }

  function schemaOf({ id, dimensions }: EmbedderRecord): Schema {
    const type = new FixedSizeList(dimensions, new Field('item', new Float32(), true))
    const metadata = new Map([
      ...options.metadata,
      ['monmouth.embedder', id],
      ['monmouth.dimensions', String(dimensions)],
    ])
    return new Schema([...options.fields, new Field(columns.vector, type, false)], metadata)
  }

  async function ownTables(): Promise<readonly string[]> {
    return (await connection.tableNames()).filter((each) => each.startsWith(`${name}--`))
  }

  async function holdsRows(tableName: string): Promise<boolean> {
    // A folder without versions is what remains of a creation that was cut short.
    if (!existsSync(join(directory, `${tableName}.lance`, '_versions'))) return false
    const table = await connection.openTable(tableName)
    try {
      return (await table.countRows()) > 0
    } finally {
      table.close()
    }
  }

  async function remove(tableName: string): Promise<void> {
    await connection
      .dropTable(tableName)
      .catch(() => rm(join(directory, `${tableName}.lance`), { recursive: true, force: true }))
  }
}
