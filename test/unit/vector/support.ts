import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import pino from 'pino'
import { openVectorStore, type PatternProfile, type TransactionRow, type VectorStoreOptions } from '#vector'
import { rowsFile } from '../../../vector/rows/openRows.ts'

export const chainId = 1337n
export const logger = pino({ level: 'silent' })

const hex = (text: string, digits: number) => createHash('sha512').update(text).digest('hex').slice(0, digits)

export const addressOf = (name: string) => `0x${hex(`address ${name}`, 40)}`
export const blockOf = (number: number, branch = 'a') => ({
  number: BigInt(number),
  hash: `0x${hex(`${branch}${number}`, 64)}`,
})

/** A transaction of a block; every block and index its own hashes. */
export function transactionOf(
  block: { readonly number: bigint; readonly hash: string },
  index: number,
  changes: Partial<TransactionRow> = {},
): TransactionRow {
  return {
    id: hex(`${chainId} ${block.hash} ${index}`, 32),
    chainId,
    blockNumber: block.number,
    blockHash: block.hash,
    timestamp: 1_700_000_000n + block.number * 12n,
    transactionHash: `0x${hex(`tx ${block.hash} ${index}`, 64)}`,
    transactionIndex: index,
    from: addressOf(`sender ${index}`),
    to: addressOf(`contract ${index % 7}`),
    selector: '0xa9059cbb',
    value: '0',
    gasLimit: 60_000,
    calldataBytes: 68,
    calldataHead: `a9059cbb${'0'.repeat(24)}${hex(`word ${index}`, 40)}${'0'.repeat(48)}0de0b6b3a7640000`,
    type: 2,
    svm: false,
    route: 'executeOnEvm',
    confidence: 0.75,
    outcome: 'succeeded',
    reason: '',
    modelVersion: 'test',
    origin: '',
    ...changes,
  }
}

export function blockEntry(number: number, rows = 3, branch = 'a', changes: Partial<TransactionRow> = {}) {
  const block = blockOf(number, branch)
  return {
    kind: 'transactions' as const,
    block,
    rows: Array.from({ length: rows }, (_, index) => transactionOf(block, index, changes)),
  }
}

export function patternOf(
  name: string,
  boundary: number,
  changes: Partial<PatternProfile> = {},
): PatternProfile {
  return {
    id: hex(`pattern ${name}`, 50),
    svm: false,
    boundary: BigInt(boundary),
    evmSucceeded: 10,
    evmFailed: 1,
    svmExecuted: 0,
    svmFailed: 0,
    computeUnits: 0,
    gasLimit: 60_000.5,
    calldataBytes: 68,
    valueLog2: 0,
    ...changes,
  }
}

/** A folder of its own, gone after the test. */
export async function temporaryDirectory(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'vector-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 3 }) }
}

export function openIn(directory: string, changes: Partial<VectorStoreOptions> = {}) {
  return openVectorStore(
    {
      directory,
      chainId,
      indexCacheBytes: 32 * 2 ** 20,
      metadataCacheBytes: 16 * 2 ** 20,
      optimizeEvery: 1000,
      ...changes,
    },
    { logger },
  )
}

/** Asks for all there is. */
export const everything = { query: '', limit: 1000, tokens: 1_000_000 }

/** Every row of the row index of a folder that follows the chain, table by table, each as JSON and in an order of their own. */
export function indexRows(directory: string): Readonly<Record<string, readonly string[]>> {
  using database = new DatabaseSync(rowsFile(directory), { readOnly: true })
  const rows: Record<string, readonly string[]> = {}
  for (const table of ['transactions', 'patterns', 'edges', 'entities', 'memories', 'reached']) {
    const all = database.prepare(`SELECT * FROM ${table}`).all()
    // What is in LanceDB's index and where its rows lie, and what people added, is not of the chain.
    rows[table] = all.map(({ indexed: _, documents: __, place: ___, ...row }) => JSON.stringify(row)).sort()
  }
  return rows
}

let places = 0

/** Rows as they lie in a table, whose numbers go up and are never used again. */
export function placed<Row>(rows: readonly Row[]): readonly { readonly place: number; readonly row: Row }[] {
  return rows.map((row) => ({ place: places++, row }))
}
