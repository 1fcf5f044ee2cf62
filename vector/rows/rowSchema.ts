import { tableSchema } from '../store/schema.ts'
import { createGraphTables } from './graphRows.ts'
import { type RowColumn, rowColumn } from './rowColumn.ts'
import { createTextTables } from './textRows.ts'

/** Tables whose rows are looked up by what they name. */
export type RowTable = 'transactions' | 'patterns'

/** What rows are known by: transactions by where their table has them, LanceDB's row id, patterns by their id. */
export const keyColumn = { transactions: 'place', patterns: 'id' } as const
export type RowKey = number | string

/** Layout of the file: another one is made anew from the tables it is made of. */
export const layout = 5
/** What tells the file from other programs' ("mmrw"). */
export const applicationId = 0x6d6d7277

/** The columns of a table but its vector, which follows from the others. */
export const rowColumns: Readonly<Record<RowTable, readonly RowColumn[]>> = {
  transactions: columnsOf('transactions'),
  patterns: columnsOf('patterns'),
}

/**
 * An index of one value goes on with the block number, so that the newest rows of an address are the end of a range, however many it has;
 * after it stands what questions narrow by, so that no row is read that does not fit.
 */
const narrowing = '"outcome", "route", "svm"'

/**
 * How many rows one value has in each index, about: senders fewer than contracts, selectors by far the most. SQLite plans by it, the same
 * way in every store, where without it `to` and `selector` would look alike.
 */
const rowsOfValue: Readonly<Record<string, string>> = {
  transactionsById: '1000000 1',
  transactionsByHash: '1000000 1',
  transactionsByBlock: '1000000 40 1',
  transactionsByBlockHash: '1000000 40',
  transactionsByFrom: '1000000 100 2 2 2 1 1 1',
  transactionsByTo: '1000000 200 2 2 1 1 1',
  transactionsBySelector: '1000000 5000 10 5 2 1',
  transactionsByOutcome: '1000000 200000 40 1 1',
}

export const createTables: readonly string[] = [
  createTable('transactions'),
  createTable('patterns'),
  ...createGraphTables,
  ...createTextTables,
  // One row: the newest block that was applied, none before the first; the newest that the approximate index has; changes of documents;
  // how many edges and entities there are.
  `CREATE TABLE reached("chainId" TEXT NOT NULL, "number" INTEGER, "hash" TEXT, "indexed" INTEGER, "documents" INTEGER NOT NULL
    DEFAULT 0, "edges" INTEGER NOT NULL DEFAULT 0, "entities" INTEGER NOT NULL DEFAULT 0)`,
  `PRAGMA application_id = ${applicationId}`,
]

/** What follows once the rows are there: an index is sorted several times faster than it is grown. The layout is told last. */
export const createIndices: readonly string[] = [
  'CREATE UNIQUE INDEX transactionsById ON transactions("id")',
  'CREATE INDEX transactionsByBlock ON transactions("blockNumber", "id")',
  'CREATE INDEX transactionsByHash ON transactions("transactionHash")',
  'CREATE INDEX transactionsByBlockHash ON transactions("blockHash")',
  `CREATE INDEX transactionsByTo ON transactions("to", "blockNumber", "selector", ${narrowing})`,
  `CREATE INDEX transactionsByFrom ON transactions("from", "blockNumber", "to", "selector", ${narrowing})`,
  `CREATE INDEX transactionsBySelector ON transactions("selector", "blockNumber", ${narrowing})`,
  // What failed is asked for most, and is rare. Places are part of every index: no row is read to list them.
  'CREATE INDEX transactionsByOutcome ON transactions("outcome", "blockNumber", "route", "svm")',
  'CREATE UNIQUE INDEX patternsById ON patterns("id")',
  'CREATE INDEX patternsByContract ON patterns("contract", "boundary")',
  'CREATE INDEX patternsBySelector ON patterns("selector", "boundary")',
  // Makes the table of statistics.
  'ANALYZE',
  ...Object.entries(rowsOfValue).map(
    ([index, stat]) => `INSERT INTO sqlite_stat1 VALUES ('transactions', '${index}', '${stat}')`,
  ),
  'ANALYZE sqlite_schema',
  `PRAGMA user_version = ${layout}`,
]

function columnsOf(table: RowTable): readonly RowColumn[] {
  return tableSchema(table, 0n)
    .fields.filter(({ name }) => name !== 'embedding')
    .map(rowColumn)
}

function createTable(table: RowTable): string {
  const types = { text: 'TEXT', integer: 'INTEGER', boolean: 'INTEGER', decimal: 'REAL' }
  const columns = rowColumns[table].map(({ name, kind }) => `"${name}" ${types[kind]} NOT NULL`)
  if (table === 'transactions') columns.unshift('"place" INTEGER PRIMARY KEY')
  return `CREATE TABLE ${table}(${columns.join(', ')}) STRICT`
}
