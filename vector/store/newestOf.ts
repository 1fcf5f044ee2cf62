import type { Table } from '@lancedb/lancedb'

/** Of `memories`: summaries, which tell how far it is; findings do not. */
export const epochRows = "`memoryKind` = 'epoch'"

/** The newest block that rows of a derived table are of; undefined when it has none. */
export async function newestOf(table: Table, where?: string): Promise<bigint | undefined> {
  const query = table
    .query()
    .select(['toBlock'])
    .orderBy({ columnName: 'toBlock', ascending: false })
    .limit(1)
  if (where !== undefined) query.where(where)
  const rows: { toBlock: bigint }[] = await query.toArray()
  return rows[0]?.toBlock
}
