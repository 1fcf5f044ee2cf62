import type { DatabaseSync, SQLInputValue, SQLOutputValue } from 'node:sqlite'
import { writtenColumn } from '../filter/columns.ts'
import { conjunction } from '../filter/conjunction.ts'
import type { StoredRow } from '../query/describeRow.ts'
import type { BlockPosition } from '../types.ts'
import { createGraphRows, type GraphRows } from './graphRows.ts'
import { inTransaction } from './inTransaction.ts'
import type { RowColumn } from './rowColumn.ts'
import { keyColumn, type RowKey, type RowTable, rowColumns } from './rowSchema.ts'
import { createStatements } from './statements.ts'
import { createTextRows, type TextRows } from './textRows.ts'

/** A transaction, and LanceDB's row id of it in `transactions`. */
export type Placed<Row = StoredRow> = { readonly place: number; readonly row: Row }

/** What a write changes; the rows of blocks from `from` on go first, and what was made of blocks from `lowest` on. */
export type RowChange = {
  readonly from: bigint
  /** Not `from`: memories are also of blocks without rows. Undefined where no block comes or goes. */
  readonly lowest: bigint | undefined
  readonly transactions: Iterable<Placed>
  readonly removePatterns: readonly string[]
  readonly upsertPatterns: Iterable<StoredRow>
  /** The newest block afterwards; undefined while there is none. */
  readonly reached: BlockPosition | undefined
}

/**
 * The rows of `transactions` and `patterns` once more, in SQLite, for what LanceDB is slow at: the newest rows of an address out of all it
 * ever had, and rows whole, of which LanceDB reads each column by itself. Made of the tables and made again from them, as are the graph and
 * texts but for findings; every call
 * is synchronous: ten rows of an address with 140 000 take 0.3 ms, and 31 ms to find that none of them fits. Throws what SQLite throws.
 */
export type RowIndex = {
  /** The newest block applied; undefined before the first. */
  reached(): BlockPosition | undefined
  /** Transactions of blocks up to a number. */
  count(upTo: bigint): number
  /** Rows that are not there: all or, when it throws, none. An index that is missing may be made afterwards. */
  addTransactions(rows: Iterable<Placed>): void
  addPatterns(rows: Iterable<StoredRow>): void
  /** All of a change or, when it throws, nothing. What was made of blocks that go, goes with them. */
  apply(change: RowChange): void
  /**
   * The newest rows that fulfil all conditions, newest first, those of one block by id.
   * @param where SQL over the columns, of checked values; one of them should be of a column with an index
   */
  newest(table: RowTable, where: readonly string[], limit: number): readonly StoredRow[]
  /** The rows with keys, in no order; unknown ones are left out. */
  byKeys(table: RowTable, keys: readonly RowKey[]): readonly StoredRow[]
  /** Those of the keys whose rows fulfil all conditions, in no order. @param where as for `newest` */
  fitting(table: RowTable, keys: readonly RowKey[], where: readonly string[]): readonly RowKey[]
  /** Keys of rows that fulfil all conditions, in no order. @param where as for `newest` */
  list(table: RowTable, where: readonly string[], limit: number): readonly RowKey[]
  /** Transactions after a place, in the order they were written. */
  after(place: number, limit: number): readonly Placed[]
  /** The last place of a transaction of blocks up to a number; undefined where there is none. */
  lastPlace(upTo: bigint): number | undefined
  /** The block up to which the approximate index of `transactions` holds all rows; undefined where nobody knows. */
  indexed(): bigint | undefined
  setIndexed(block: bigint): void
  /** Transactions of blocks from one to another, in their order; some of their columns. */
  between(first: bigint, last: bigint, columns: readonly string[]): readonly StoredRow[]
  countBetween(first: bigint, last: bigint): number
  /** The first block from one on that has transactions. */
  nextBlock(from: bigint): bigint | undefined
  /** What epochs have counted. */
  readonly graph: GraphRows
  readonly texts: TextRows
  /** What was lost when it was made anew, for people. */
  readonly problem: string | undefined
  /** All of some writes or, when they throw, nothing. */
  transaction(write: () => void): void
  close(): void
}

export function createRowIndex(database: DatabaseSync, problem?: string): RowIndex {
  const statements = createStatements(database)
  const readReached = database.prepare('SELECT "number", "hash" FROM reached')
  readReached.setReadBigInts(true)
  const readIndexed = database.prepare('SELECT "indexed" FROM reached')
  readIndexed.setReadBigInts(true)
  const countBetween = database.prepare(
    'SELECT count(*) AS rows FROM transactions WHERE "blockNumber" BETWEEN ? AND ?',
  )
  const readNext = database.prepare(
    'SELECT min("blockNumber") AS block FROM transactions WHERE "blockNumber" >= ?',
  )
  readNext.setReadBigInts(true)
  const readAfter = database.prepare(
    `SELECT "place", ${namesOf(rowColumns.transactions)} FROM transactions WHERE "place" > ? ORDER BY "place" LIMIT ?`,
  )
  readAfter.setReadBigInts(true)
  readAfter.setReturnArrays(true)
  const readLastPlace = database.prepare(
    `SELECT max("place") AS place FROM transactions
      WHERE "blockNumber" = (SELECT max("blockNumber") FROM transactions WHERE "blockNumber" <= ?)`,
  )
  const graph = createGraphRows(database)
  const countRows = database.prepare('SELECT count(*) AS rows FROM transactions WHERE "blockNumber" <= ?')

  return {
    reached() {
      const row = readReached.get()
      if (!row || row.number === null) return undefined
      return { number: row.number as bigint, hash: row.hash as string }
    },
    count: (upTo) => Number(countRows.get(upTo)?.rows),
    addTransactions(rows) {
      inTransaction(database, () => insertTransactions(rows))
    },
    addPatterns(rows) {
      inTransaction(database, () => insertPatterns(rows))
    },
    apply(change) {
      inTransaction(database, () => write(change))
    },
    newest(table, where, limit) {
      const order = `"${writtenColumn[table]}" DESC, "id" ASC`
      const fits = where.length === 0 ? '' : ` WHERE ${conjunction(where)}`
      return select(table, `${fits} ORDER BY ${order} LIMIT ?`, [limit])
    },
    byKeys(table, keys) {
      if (keys.length === 0) return []
      return select(table, ` WHERE ${isAmong(table)}`, [JSON.stringify(keys)])
    },
    fitting: (table, keys, where) =>
      selectKeys(table, conjunction([isAmong(table), ...where]), JSON.stringify(keys)),
    list: (table, where, limit) => selectKeys(table, `${conjunction(where)} LIMIT ?`, limit),
    after: (place, limit) =>
      (readAfter.all(place, limit) as unknown as SQLOutputValue[][]).map(([place, ...values]) => ({
        place: Number(place),
        row: storedRow(rowColumns.transactions, values),
      })),
    lastPlace(upTo) {
      const place = readLastPlace.get(upTo)?.place
      return place === null ? undefined : Number(place)
    },
    indexed() {
      const number = readIndexed.get()?.indexed
      return number === null || number === undefined ? undefined : (number as bigint)
    },
    setIndexed(block) {
      database.prepare('UPDATE reached SET "indexed" = ?').run(block)
    },
    between: (first, last, columns) =>
      select(
        'transactions',
        ' WHERE "blockNumber" BETWEEN ? AND ? ORDER BY "blockNumber", "id"',
        [first, last],
        rowColumns.transactions.filter(({ name }) => columns.includes(name)),
      ),
    countBetween: (first, last) => Number(countBetween.get(first, last)?.rows),
    nextBlock(from) {
      const block = readNext.get(from)?.block
      return block === null ? undefined : (block as bigint)
    },
    graph,
    texts: createTextRows(database),
    problem,
    transaction: (write) => inTransaction(database, write),
    close() {
      database.close()
    },
  }

  function write({ from, lowest, transactions, removePatterns, upsertPatterns, reached }: RowChange): void {
    database.prepare('DELETE FROM transactions WHERE "blockNumber" >= ?').run(from)
    if (lowest !== undefined) {
      graph.cut(lowest)
      database.prepare('DELETE FROM memories WHERE "toBlock" >= ?').run(lowest)
    }
    insertTransactions(transactions)
    const remove = database.prepare('DELETE FROM patterns WHERE "id" = ?')
    for (const id of removePatterns) remove.run(id)
    insertPatterns(upsertPatterns)
    database
      .prepare('UPDATE reached SET "number" = ?, "hash" = ?, "indexed" = min("indexed", ?)')
      .run(reached?.number ?? null, reached?.hash ?? null, from - 1n)
  }

  function insertTransactions(rows: Iterable<Placed>): void {
    const columns = rowColumns.transactions
    const statement = database.prepare(
      `INSERT OR REPLACE INTO transactions("place", ${namesOf(columns)}) VALUES (?, ${columns.map(() => '?').join(', ')})`,
    )
    for (const { place, row } of rows) statement.run(place, ...sqlValues(columns, row))
  }

  function insertPatterns(rows: Iterable<StoredRow>): void {
    const columns = rowColumns.patterns
    const statement = database.prepare(
      `INSERT OR REPLACE INTO patterns(${namesOf(columns)}) VALUES (${columns.map(() => '?').join(', ')})`,
    )
    for (const row of rows) statement.run(...sqlValues(columns, row))
  }

  function selectKeys(table: RowTable, condition: string, value: SQLInputValue): readonly RowKey[] {
    const { statement, values } = statements.ofQuestion(
      `SELECT "${keyColumn[table]}" AS key FROM ${table} WHERE ${condition}`,
      [value],
    )
    return statement.all(...values).map(({ key }) => key as RowKey)
  }

  function select(
    table: RowTable,
    condition: string,
    given: readonly SQLInputValue[],
    columns: readonly RowColumn[] = readColumns[table],
  ): readonly StoredRow[] {
    const { statement, values } = statements.ofQuestion(
      `SELECT ${namesOf(columns)} FROM ${table}${condition}`,
      given,
    )
    statement.setReadBigInts(true)
    // Without names, which are given once: in two thirds of the time.
    statement.setReturnArrays(true)
    return statement.all(...values).map((row) => storedRow(columns, row as unknown as SQLOutputValue[]))
  }
}

/** What of a row is read: of a transaction also where it is. */
const readColumns: Readonly<Record<RowTable, readonly RowColumn[]>> = {
  transactions: [...rowColumns.transactions, { name: keyColumn.transactions, kind: 'integer' }],
  patterns: rowColumns.patterns,
}

const isAmong = (table: RowTable) => `"${keyColumn[table]}" IN (SELECT value FROM json_each(?))`

const namesOf = (columns: readonly RowColumn[]) => columns.map(({ name }) => `"${name}"`).join(', ')

function sqlValues(columns: readonly RowColumn[], row: StoredRow): SQLInputValue[] {
  return columns.map(({ name }) => {
    const value = row[name]!
    return typeof value === 'boolean' ? Number(value) : value
  })
}

function storedRow(columns: readonly RowColumn[], values: readonly SQLOutputValue[]): StoredRow {
  const stored: Record<string, StoredRow[string]> = {}
  for (const [at, { name, kind }] of columns.entries()) {
    const value = values[at] as string | number | bigint
    stored[name] = kind === 'boolean' ? value !== 0n : value
  }
  return stored
}
