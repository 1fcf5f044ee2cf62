import { connect } from '@lancedb/lancedb'
import type { PatternProfile, TransactionRow } from '#vector'
import type { VectorContents } from './createMemoryRows.ts'

const transactionColumns = [
  ...[
    'id',
    'chainId',
    'blockNumber',
    'blockHash',
    'timestamp',
    'transactionHash',
    'transactionIndex',
    'from',
    'to',
  ],
  ...['selector', 'value', 'gasLimit', 'calldataBytes', 'calldataHead', 'type', 'svm', 'route', 'confidence'],
  ...['outcome', 'reason', 'modelVersion', 'origin'],
]
const patternColumns = [
  ...[
    'id',
    'svm',
    'boundary',
    'evmSucceeded',
    'evmFailed',
    'svmExecuted',
    'svmFailed',
    'computeUnits',
    'gasLimit',
  ],
  ...['calldataBytes', 'valueLog2'],
]
/** Columns stored as 64-bit integers that are numbers in a row. */
const numbers = new Set(['transactionIndex', 'gasLimit', 'calldataBytes', 'type'])

/**
 * Everything in a vector store that rests, read from its files with LanceDB itself. Throws where an id is there twice.
 * @param directory of the vector store
 */
export async function readVectorFolder(directory: string): Promise<VectorContents> {
  const connection = await connect(directory)
  const rowsOf = async <T extends { readonly id: string }>(
    name: string,
    columns: string[],
  ): Promise<Map<string, T>> => {
    const table = await connection.openTable(name)
    const rows = new Map<string, T>()
    for (const found of await table.query().select(columns).toArray()) {
      const row = Object.fromEntries(columns.map((column) => [column, plain(name, column, found[column])]))
      if (rows.has(row.id as string)) throw new Error(`table ${name} holds row ${row.id} twice`)
      rows.set(row.id as string, row as unknown as T)
    }
    table.close()
    return rows
  }
  const finalized = async (): Promise<bigint | undefined> => {
    const table = await connection.openTable('progress')
    const [row] = await table.query().select(['finalized']).toArray()
    table.close()
    // Below every number: nothing is final yet.
    return row === undefined || row.finalized === -1n ? undefined : (row.finalized as bigint)
  }
  try {
    return {
      transactions: await rowsOf<TransactionRow>('transactions', transactionColumns),
      patterns: await rowsOf<PatternProfile>('patterns', patternColumns),
      finalized: await finalized(),
    }
  } finally {
    connection.close()
  }
}

function plain(table: string, column: string, value: unknown): unknown {
  if (typeof value === 'bigint' && numbers.has(column) && table === 'transactions') return Number(value)
  // Amounts are padded with zeros, so that they compare as text.
  if (column === 'value') return BigInt(value as string).toString()
  return value
}
