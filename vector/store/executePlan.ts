import type { Table } from '@lancedb/lancedb'
import { encodePatterns, encodeTransactions } from './encodeRows.ts'
import type { WritePlan } from './planWrites.ts'
import { newestBlockBelow, type Progress, writeProgress } from './progress.ts'
import type { StoreTable } from './schema.ts'

/** Values of one IN list: longer ones are split. */
const listLength = 1000

export type ExecuteOptions = { readonly chainId: bigint; readonly rowsPerBatch: number }

/**
 * Carries out a plan and returns how many writes `transactions` and `patterns` took; `advanced` is told of progress as it is written. The order is what makes a kill
 * at any point harmless: `asOf` is moved back before rows of undone blocks go, rows go before others come, and
 * `asOf` moves forward last.
 */
export async function executePlan(
  tables: Readonly<Record<StoreTable, Table>>,
  plan: WritePlan,
  before: Progress,
  options: ExecuteOptions,
  advanced: (progress: Progress) => void,
): Promise<number> {
  const { chainId, rowsPerBatch } = options
  let progress = before
  let writes = 0

  if (plan.lowestUndone !== undefined && before.asOf && before.asOf.number >= plan.lowestUndone) {
    await advance({ ...before, asOf: await newestBlockBelow(tables.transactions, plan.lowestUndone) })
  }
  for (const hashes of split(plan.undoneHashes, listLength)) {
    await remove(tables.transactions, 'blockHash', hashes)
  }
  for (const rows of split(plan.upsertTransactions, rowsPerBatch)) {
    await upsert(tables.transactions, encodeTransactions(rows, chainId))
  }
  for (const ids of split(plan.removePatterns, listLength)) {
    await remove(tables.patterns, 'id', ids)
  }
  for (const rows of split(plan.upsertPatterns, rowsPerBatch)) {
    await upsert(tables.patterns, encodePatterns(rows, chainId))
  }
  const after = {
    asOf: plan.tip ?? progress.asOf,
    finalized: laterOf(plan.finalized, progress.finalized),
  }
  if (!isSame(after, progress)) await advance(after)
  return writes

  async function advance(next: Progress): Promise<void> {
    await writeProgress(tables.progress, next, chainId)
    progress = next
    advanced(next)
  }

  async function upsert(table: Table, rows: ReturnType<typeof encodeTransactions>): Promise<void> {
    await table.mergeInsert('id').whenMatchedUpdateAll().whenNotMatchedInsertAll().execute(rows)
    writes += 1
  }

  // The values are checked hex digits (planWrites): LanceDB has no bind parameters.
  async function remove(table: Table, column: string, values: readonly string[]): Promise<void> {
    await table.delete(`\`${column}\` IN (${values.map((value) => `'${value}'`).join(', ')})`)
    writes += 1
  }
}

function* split<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size)
}

function laterOf(a: bigint | undefined, b: bigint | undefined): bigint | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return a > b ? a : b
}

function isSame(a: Progress, b: Progress): boolean {
  return a.finalized === b.finalized && a.asOf?.number === b.asOf?.number && a.asOf?.hash === b.asOf?.hash
}
