import type { Table } from '@lancedb/lancedb'
import type { BlockPosition } from '../types.ts'
import { arrowTable } from './arrowTable.ts'
import { tableSchema } from './schema.ts'

/** What the store was last told: the newest applied block and the finalized height. */
export type Progress = {
  readonly asOf: BlockPosition | undefined
  readonly finalized: bigint | undefined
}

/** Stands for "none" in a column that takes no nulls: block numbers start at 0. */
const none = -1n

/** Reads the one row of `progress`; both parts undefined in a new store. */
export async function readProgress(table: Table): Promise<Progress> {
  const rows: unknown[] = await table.query().limit(1).toArray()
  const row = rows[0] as { asOfNumber: bigint; asOfHash: string; finalized: bigint } | undefined
  if (!row) return { asOf: undefined, finalized: undefined }
  return {
    asOf: row.asOfNumber === none ? undefined : { number: row.asOfNumber, hash: row.asOfHash },
    finalized: row.finalized === none ? undefined : row.finalized,
  }
}

/** Replaces the one row of `progress`. */
export async function writeProgress(table: Table, progress: Progress, chainId: bigint): Promise<void> {
  const row = arrowTable(tableSchema('progress', chainId), 1, {
    id: ['progress'],
    asOfNumber: [progress.asOf?.number ?? none],
    asOfHash: [progress.asOf?.hash ?? ''],
    finalized: [progress.finalized ?? none],
  })
  await table.mergeInsert('id').whenMatchedUpdateAll().whenNotMatchedInsertAll().execute(row)
}

/**
 * The newest block below `number` that `transactions` still holds rows of; undefined when there is none. Blocks
 * without rows are not seen, so it may be older than the chain's, never newer.
 */
export async function newestBlockBelow(
  transactions: Table,
  number: bigint,
): Promise<BlockPosition | undefined> {
  const rows: unknown[] = await transactions
    .query()
    .where(`\`blockNumber\` < ${number}`)
    .orderBy({ columnName: 'blockNumber', ascending: false })
    .select(['blockNumber', 'blockHash'])
    .limit(1)
    .toArray()
  const row = rows[0] as { blockNumber: bigint; blockHash: string } | undefined
  return row && { number: row.blockNumber, hash: row.blockHash }
}
