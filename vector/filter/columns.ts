/** Tables that a condition can be about. */
export const tableNames = ['transactions', 'patterns', 'memories', 'documents'] as const
export type TableName = (typeof tableNames)[number]

/** What rows of a table are called in questions and answers. */
export const kindOf = {
  transactions: 'transaction',
  patterns: 'pattern',
  memories: 'memory',
  documents: 'document',
} as const satisfies Readonly<Record<TableName, string>>

/**
 * How a column is written in a condition. `hex`: lower-cased, 0x optional quotes; `text`: as is; `integer` and `decimal`: numbers;
 * `wei`: stored as 78 digits so that text order is number order; `boolean`. `finality` and `kind` are not stored: they follow
 * from the block number and the table.
 */
export type ColumnType = 'hex' | 'text' | 'integer' | 'decimal' | 'wei' | 'boolean' | 'finality' | 'kind'

/** What may be named in a condition, per table: name in the store and type. */
export const filterColumns: Readonly<Record<TableName, Readonly<Record<string, ColumnType>>>> = {
  transactions: {
    id: 'hex',
    chainId: 'integer',
    blockNumber: 'integer',
    blockHash: 'hex',
    timestamp: 'integer',
    transactionHash: 'hex',
    transactionIndex: 'integer',
    from: 'hex',
    to: 'hex',
    selector: 'hex',
    value: 'wei',
    gasLimit: 'integer',
    calldataBytes: 'integer',
    type: 'integer',
    svm: 'boolean',
    route: 'text',
    confidence: 'decimal',
    outcome: 'text',
    reason: 'text',
    modelVersion: 'text',
    origin: 'text',
    finality: 'finality',
    kind: 'kind',
  },
  patterns: {
    id: 'hex',
    to: 'hex',
    selector: 'hex',
    svm: 'boolean',
    blockNumber: 'integer',
    evmSucceeded: 'decimal',
    evmFailed: 'decimal',
    svmExecuted: 'decimal',
    svmFailed: 'decimal',
    computeUnits: 'decimal',
    gasLimit: 'decimal',
    calldataBytes: 'decimal',
    valueLog2: 'decimal',
    finality: 'finality',
    kind: 'kind',
  },
  memories: {
    id: 'hex',
    name: 'text',
    memoryKind: 'text',
    subjects: 'text',
    fromBlock: 'integer',
    blockNumber: 'integer',
    risk: 'integer',
    finality: 'finality',
    kind: 'kind',
  },
  documents: {
    id: 'hex',
    documentId: 'hex',
    title: 'text',
    documentKind: 'text',
    to: 'hex',
    selector: 'hex',
    name: 'text',
    finality: 'finality',
    kind: 'kind',
  },
}

/** Column that holds the newest block a row is of; documents are of none. */
export const writtenColumn = {
  transactions: 'blockNumber',
  patterns: 'boundary',
  memories: 'toBlock',
  documents: undefined,
} as const satisfies Readonly<Record<TableName, string | undefined>>

/**
 * Other names for the same columns. A pattern's boundary is its block number, its contract what is called; a memory's block number is
 * its last.
 */
const aliases: Readonly<Record<string, string>> = {
  block: 'blockNumber',
  boundary: 'blockNumber',
  number: 'blockNumber',
  hash: 'transactionHash',
  txhash: 'transactionHash',
  txindex: 'transactionIndex',
  contract: 'to',
  decision: 'route',
  gas: 'gasLimit',
  sender: 'from',
}

const canonicalNames = new Map<string, string>()
for (const name of tableNames.flatMap((table) => Object.keys(filterColumns[table]))) {
  canonicalNames.set(name.toLowerCase(), name)
}
for (const [alias, name] of Object.entries(aliases)) canonicalNames.set(alias, name)

/** The column meant by a written name: case and `_` do not matter (`block_number` = `blockNumber`); undefined when there is none. */
export function resolveColumn(written: string): string | undefined {
  return canonicalNames.get(written.toLowerCase().replaceAll('_', ''))
}

/** Every name `resolveColumn` knows in its own spelling, for messages. */
export function columnNames(): readonly string[] {
  return [...new Set(canonicalNames.values())]
}
