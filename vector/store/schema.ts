import { Bool, Field, FixedSizeList, Float32, Float64, Int64, Schema, Utf8 } from 'apache-arrow'
import { dimensions, embedderId } from '../embed/featureVector.ts'

/** Layout of the tables below: a change of columns or of their meaning needs a new one. */
export const schemaVersion = '1'

/** What the pipeline writes and reads: without one of these the store is not opened. */
export const storeTables = ['transactions', 'patterns', 'progress'] as const
export type StoreTable = (typeof storeTables)[number]

export const vectorType = new FixedSizeList(dimensions, new Field('item', new Float32(), true))

const text = (name: string) => new Field(name, new Utf8(), false)
const integer = (name: string) => new Field(name, new Int64(), false)
const decimal = (name: string) => new Field(name, new Float64(), false)
const boolean = (name: string) => new Field(name, new Bool(), false)

/**
 * Columns in stored order. `progress` has one row: what was last applied.
 */
const fields: Readonly<Record<StoreTable, readonly Field[]>> = {
  transactions: [
    text('id'),
    integer('chainId'),
    integer('blockNumber'),
    text('blockHash'),
    integer('timestamp'),
    text('transactionHash'),
    integer('transactionIndex'),
    text('from'),
    text('to'),
    text('selector'),
    text('value'),
    integer('gasLimit'),
    integer('calldataBytes'),
    text('calldataHead'),
    integer('type'),
    boolean('svm'),
    text('route'),
    decimal('confidence'),
    text('outcome'),
    text('reason'),
    text('modelVersion'),
    text('origin'),
    new Field('embedding', vectorType, false),
  ],
  patterns: [
    text('id'),
    text('contract'),
    text('selector'),
    boolean('svm'),
    integer('boundary'),
    decimal('evmSucceeded'),
    decimal('evmFailed'),
    decimal('svmExecuted'),
    decimal('svmFailed'),
    decimal('computeUnits'),
    decimal('gasLimit'),
    decimal('calldataBytes'),
    decimal('valueLog2'),
    new Field('embedding', vectorType, false),
  ],
  progress: [text('id'), integer('asOfNumber'), text('asOfHash'), integer('finalized')],
}

/**
 * Scalar indices: what undo and the conditions of a search by vector need; rows are looked up in the row index. Compaction pays for each
 * of them in every turn. `progress` has one row and needs none.
 */
export const scalarIndices: Readonly<Record<StoreTable, Readonly<Record<string, 'btree' | 'bitmap'>>>> = {
  transactions: {
    blockNumber: 'btree',
    svm: 'bitmap',
    route: 'bitmap',
    outcome: 'bitmap',
  },
  patterns: { id: 'btree', contract: 'btree' },
  progress: {},
}

/** What must be equal for stored vectors of transactions and patterns and new ones to be comparable; kept in the metadata of every table. */
export function storeMetadata(chainId: bigint): ReadonlyMap<string, string> {
  return new Map([
    ['monmouth.schema', schemaVersion],
    ['monmouth.embedder', embedderId],
    ['monmouth.dimensions', String(dimensions)],
    ['monmouth.chainId', String(chainId)],
  ])
}

/** Columns of `documents` but the vector, which is as long as its embedder makes it: a table for each embedder. */
export const documentFields: readonly Field[] = [
  text('id'),
  text('documentId'),
  integer('part'),
  integer('parts'),
  text('title'),
  text('documentKind'),
  text('contract'),
  text('selector'),
  text('name'),
  // Title, a line break, and the part: what is embedded.
  text('text'),
  text('words'),
  integer('addedMs'),
  // Newest block when it was added; -1 before the first.
  integer('addedAt'),
]

/** The first thing in which a table's schema is not as expected, in words; undefined where it is. */
export function schemaDifference(
  found: FoundSchema,
  expected: Schema,
): { readonly expected: string; readonly came: string } | undefined {
  for (const [key, value] of expected.metadata) {
    const came = found.metadata.get(key)
    if (came !== value) return { expected: `${key} = ${value}`, came: came ?? 'nothing' }
  }
  const columns = (fields: readonly Named[]) => fields.map(({ name, type }) => `${name}: ${type}`).join(', ')
  const [wanted, came] = [columns(expected.fields), columns(found.fields)]
  return wanted === came ? undefined : { expected: wanted, came }
}

type Named = { readonly name: string; readonly type: unknown }
type FoundSchema = { readonly fields: readonly Named[]; readonly metadata: ReadonlyMap<string, string> }

/** Says of `transactions` that a row keeps its LanceDB row id, which the row index knows it by. Tables of before have none. */
const stableRowIds = ['monmouth.rowIds', 'stable'] as const

/** The Arrow schema a table is created and written with. */
export function tableSchema(table: StoreTable, chainId: bigint): Schema {
  const metadata = new Map(storeMetadata(chainId))
  if (table === 'transactions') metadata.set(...stableRowIds)
  return new Schema([...fields[table]], metadata)
}

/** Of `transactions` before its rows kept their ids. */
export function earlierSchema(chainId: bigint): Schema {
  return new Schema([...fields.transactions], new Map(storeMetadata(chainId)))
}

/** Whether a schema is that one, and no other table's. */
export function isEarlier(found: FoundSchema, chainId: bigint): boolean {
  const [key] = stableRowIds
  return !found.metadata.has(key) && schemaDifference(found, earlierSchema(chainId)) === undefined
}
