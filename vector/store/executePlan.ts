import type { Table } from '@lancedb/lancedb'
import type { Held } from '../held/heldRows.ts'
import type { Placed } from '../rows/rowIndex.ts'
import type { RowPlaces } from '../rows/rowPlaces.ts'
import type { RowWriter } from '../rows/rowWriter.ts'
import { storedPattern, storedTransaction } from '../rows/storedRows.ts'
import type { TransactionRow } from '../types.ts'
import { encodePatterns, encodeTransactions } from './encodeRows.ts'
import type { WritePlan } from './planWrites.ts'
import { newestBlockBelow, type Progress, writeProgress } from './progress.ts'
import type { StoreTable } from './schema.ts'

/** Values of one IN list: longer ones are split. */
const listLength = 1000

export type ExecuteOptions = {
  readonly chainId: bigint
  readonly rowsPerBatch: number
  /** `transactions` may hold rows of blocks above `asOf`: an apply before was not finished. */
  readonly mayHoldLater: boolean
}

/**
 * Carries out a plan and returns how many batches of rows `transactions` and `patterns` got; `advanced` is told of progress as it is
 * written. `transactions` is a log that ends at `asOf`: what a plan repeats or undoes is cut off first, the rest is appended,
 * which takes as long in a large table as in a small one. The order is what makes a kill at any point harmless: `asOf` is moved
 * back before rows go, and forward once the new rows are in, in the tables and then in the row index.
 */
export async function executePlan(
  {
    tables,
    places,
    writer,
    held,
  }: {
    readonly tables: Readonly<Record<StoreTable, Table>>
    readonly places: RowPlaces
    readonly writer: Pick<RowWriter, 'apply'>
    readonly held: Held
  },
  plan: WritePlan,
  before: Progress,
  options: ExecuteOptions,
  advanced: (progress: Progress) => void,
): Promise<number> {
  const { chainId, rowsPerBatch } = options
  let progress = before
  let writes = 0

  const { lowest } = plan
  const isCut = lowest !== undefined && before.asOf !== undefined && before.asOf.number >= lowest
  if (isCut) await advance({ ...before, asOf: await newestBlockBelow(tables.transactions, lowest) })
  const from = progress.asOf ? progress.asOf.number + 1n : 0n
  if (isCut || options.mayHoldLater) {
    await tables.transactions.delete(`\`blockNumber\` >= ${from}`)
  }
  for (const rows of split(plan.addTransactions, rowsPerBatch)) {
    await tables.transactions.add(encodeTransactions(rows, chainId))
    writes += 1
  }
  const placed = await placesOf(plan.addTransactions, from)
  for (const ids of split(plan.removePatterns, listLength)) {
    // The values are checked hex digits (planWrites): LanceDB has no bind parameters.
    await tables.patterns.delete(`\`id\` IN (${ids.map((id) => `'${id}'`).join(', ')})`)
  }
  for (const rows of split(plan.upsertPatterns, rowsPerBatch)) {
    const upsert = tables.patterns.mergeInsert('id').whenMatchedUpdateAll().whenNotMatchedInsertAll()
    await upsert.execute(encodePatterns(rows, chainId))
    writes += 1
  }
  const after = {
    asOf: plan.tip ?? progress.asOf,
    finalized: laterOf(plan.finalized, progress.finalized),
  }
  // Before, as an indexing that ends meanwhile must not count them; and after, for what was read meanwhile.
  held.transactions.cut(from)
  await writer.apply({
    from,
    lowest,
    transactions: placed.map(({ place, row }) => ({ place, row: storedTransaction(row) })),
    removePatterns: plan.removePatterns,
    upsertPatterns: plan.upsertPatterns.map(storedPattern),
    reached: after.asOf,
  })
  held.transactions.cut(from)
  held.transactions.applied(placed)
  held.patterns.applied(plan.removePatterns, plan.upsertPatterns)
  if (!isSame(after, progress)) await advance(after)
  return writes

  async function placesOf(
    rows: readonly TransactionRow[],
    from: bigint,
  ): Promise<readonly Placed<TransactionRow>[]> {
    const numbers = await places.of(rows, from)
    return rows.map((row, index) => ({ place: numbers[index]!, row }))
  }

  async function advance(next: Progress): Promise<void> {
    await writeProgress(tables.progress, next, chainId)
    progress = next
    advanced(next)
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
