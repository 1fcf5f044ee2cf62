import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { type StateTable, type StateWrite, stateTables } from '../notification/stateWrite.ts'
import { keyBytes, keyString } from './keyString.ts'
import { decodeValues, encodeValues, tableCode } from './stateWriteCodec.ts'

/**
 * The state that blocks change, one SQLite table per `StateTable`, behind a log.
 *
 * A random upsert costs 2 to 3 µs and dirties a page of its own; a block writes hundreds. So a commit appends its writes
 * to `state_log` as one blob, and the tables follow in slices, each slice inside a later commit: **state = tables, then
 * the log in order**. What the log holds is also in memory, in two generations: `recent` grows; once it is large
 * enough it becomes `folding`, which is written to the tables in key order, and then its part of the log is deleted.
 * Folding a value twice changes nothing, so a kill in the middle needs no care.
 */
export type StateTables = {
  /** Stages a value; the bytes are used until the next `write`. */
  readonly stage: (table: number, key: string, value: Uint8Array | undefined) => void
  /** Stages what writes leave behind. */
  readonly stageWrites: (writes: readonly StateWrite[]) => void
  /** Writes what is staged, and a slice of the folding generation. Inside a transaction. */
  readonly write: () => void
  /** Folds everything. Inside a transaction, with nothing staged. */
  readonly writeAll: () => void
  /** The transaction of the last `write` or `writeAll` is durable. */
  readonly settle: () => void
  /** The durable value of a key. */
  readonly get: (table: StateTable, key: Uint8Array) => Uint8Array | undefined
  /** The durable rows of a table. Commits during the iteration may or may not be seen. */
  readonly rows: (table: StateTable) => Generator<{ readonly key: Uint8Array; readonly value: Uint8Array }>
}

export type StateTablesOptions = {
  /** A generation is folded once it holds this many keys, default 65 536 … */
  readonly foldKeys?: number
  /** … or this many bytes of log, default 16 MiB. Memory stays below about twice this. */
  readonly foldBytes?: number
  /** Keys folded by a commit that itself writes few, at least; default 512. */
  readonly sliceKeys?: number
}

type Values = Map<string, Uint8Array | undefined>
type Generation = { readonly tables: readonly Values[]; keys: number; bytes: number }
type Folding = Generation & { readonly slices: readonly Slice[]; next: number; readonly upTo: number }
/** Keys of one table with the same first byte: neighbours in the table share pages. */
type Slice = { readonly table: number; readonly keys: string[] }

/** Rows read at a time by `rows`: no statement stays open in between, an open one would keep the WAL from being reset. */
const pageRows = 2048

/** Opens the state tables of a database and loads the log. */
export function createStateTables(database: DatabaseSync, options: StateTablesOptions = {}): StateTables {
  const { foldKeys = 65_536, foldBytes = 16 * 1024 * 1024, sliceKeys = 512 } = options
  const append = database.prepare('INSERT INTO state_log VALUES (?, ?)')
  const forget = database.prepare('DELETE FROM state_log WHERE sequence <= ?')
  const put = stateTables.map((table) => database.prepare(`REPLACE INTO ${table} VALUES (?, ?)`))
  const remove = stateTables.map((table) => database.prepare(`DELETE FROM ${table} WHERE key = ?`))
  const read = stateTables.map((table) => database.prepare(`SELECT value FROM ${table} WHERE key = ?`))
  const page = stateTables.map((table) =>
    database.prepare(`SELECT key, value FROM ${table} WHERE key > ? ORDER BY key LIMIT ${pageRows}`),
  )
  const firstPage = stateTables.map((table) =>
    database.prepare(`SELECT key, value FROM ${table} ORDER BY key LIMIT ${pageRows}`),
  )

  let staged = createValues()
  let recent = createGeneration()
  let folding: Folding | undefined
  let sequence = 0
  // What the running transaction did, taken over by settle() only.
  let logged: Buffer | undefined
  let foldedTo = 0
  let foldedRecent = false

  for (const { sequence: stored, writes } of database
    .prepare('SELECT sequence, writes FROM state_log ORDER BY 1')
    .all()) {
    sequence = Number(stored)
    const blob = writes as Uint8Array
    for (const { table, key, value } of decodeValues(blob)) remember(recent, table, key, value)
    recent.bytes += blob.length
  }

  function fold({ slices, next, tables, upTo }: Folding, atLeast: number): number {
    let done = 0
    let slice = next
    for (; slice < slices.length && done < atLeast; slice++) {
      const { table, keys } = slices[slice]!
      for (const key of keys.sort()) {
        const value = tables[table]!.get(key)
        if (value === undefined) remove[table]!.run(keyBytes(key))
        else put[table]!.run(keyBytes(key), value)
      }
      done += keys.length
    }
    if (slice === slices.length) forget.run(upTo)
    return slice
  }

  return {
    stage: (table, key, value) => {
      staged[table]!.set(key, value)
    },
    stageWrites: (writes) => {
      for (const { table, key, after } of writes) staged[tableCode(table)]!.set(keyString(key), after)
    },
    write: () => {
      logged = undefined
      foldedRecent = false
      let keys = 0
      for (const values of staged) keys += values.size
      if (keys > 0) {
        logged = encodeValues(staged)
        append.run(sequence + 1, logged)
      }
      // A little faster than keys come in, so that this generation is done before the next one is full.
      if (folding !== undefined) foldedTo = fold(folding, Math.max(sliceKeys, keys * 1.25))
    },
    writeAll: () => {
      if (folding !== undefined) foldedTo = fold(folding, Number.POSITIVE_INFINITY)
      fold(createFolding(recent, sequence), Number.POSITIVE_INFINITY)
      foldedRecent = true
    },
    settle: () => {
      if (foldedRecent) {
        recent = createGeneration()
        foldedRecent = false
      }
      if (logged !== undefined) {
        sequence += 1
        for (const [table, values] of staged.entries()) {
          for (const [key, value] of values) remember(recent, table, key, value)
        }
        recent.bytes += logged.length
        staged = createValues()
        logged = undefined
      }
      if (folding !== undefined) {
        folding.next = foldedTo
        if (foldedTo === folding.slices.length) folding = undefined
      }
      if (folding === undefined && (recent.keys >= foldKeys || recent.bytes >= foldBytes)) {
        folding = createFolding(recent, sequence)
        foldedTo = 0
        recent = createGeneration()
      }
    },
    get: (table, key) => {
      const code = tableCode(table)
      const name = keyString(key)
      for (const generation of [recent, folding]) {
        const values = generation?.tables[code]
        if (values?.has(name)) return values.get(name)
      }
      return read[code]!.get(key)?.value as Uint8Array | undefined
    },
    rows: function* (table) {
      const code = tableCode(table)
      const newer: Values = new Map([...(folding?.tables[code] ?? []), ...recent.tables[code]!])
      for (const row of pages(firstPage[code]!, page[code]!)) {
        if (!newer.has(keyString(row.key))) yield row
      }
      for (const [key, value] of newer) if (value !== undefined) yield { key: keyBytes(key), value }
    },
  }
}

function createValues(): Values[] {
  return stateTables.map(() => new Map())
}

function createGeneration(): Generation {
  return { tables: createValues(), keys: 0, bytes: 0 }
}

function remember(generation: Generation, table: number, key: string, value: Uint8Array | undefined): void {
  const values = generation.tables[table]!
  const before = values.size
  values.set(key, value)
  generation.keys += values.size - before
}

function createFolding(generation: Generation, upTo: number): Folding {
  const slices: Slice[] = []
  for (const [table, values] of generation.tables.entries()) {
    const byFirst: (Slice | undefined)[] = new Array(256)
    for (const key of values.keys()) {
      const first = key.length === 0 ? 0 : key.charCodeAt(0)
      const slice = byFirst[first]
      if (slice === undefined) byFirst[first] = { table, keys: [key] }
      else slice.keys.push(key)
    }
    for (const slice of byFirst) if (slice !== undefined) slices.push(slice)
  }
  return { ...generation, slices, next: 0, upTo }
}

function* pages(
  first: StatementSync,
  next: StatementSync,
): Generator<{ key: Uint8Array; value: Uint8Array }> {
  let rows = first.all() as { key: Uint8Array; value: Uint8Array }[]
  while (rows.length > 0) {
    yield* rows
    rows =
      rows.length < pageRows ? [] : (next.all(rows.at(-1)!.key) as { key: Uint8Array; value: Uint8Array }[])
  }
}
