import { answerColumns, type StoredRow } from './describeRow.ts'
import type { Found } from './found.ts'
import type { StructuredLeg } from './planLegs.ts'

/**
 * Candidates of the approximate index looked at, and how many times the limit is compared exactly: recall 0.94 and up at
 * 112 000 rows. Both have no effect on exact search.
 */
const candidates = 64
const refine = 2
/** Blocks up to which all are looked through at once. */
const leastBlocks = 4096n

/**
 * The newest rows that fit, newest first. In two steps, since a popular address has thousands of rows: sorted by their two short
 * columns, and only the rows kept are read whole.
 */
export async function newestRows(
  leg: StructuredLeg,
  condition: string | undefined,
  match: 'exact' | 'words' | 'newest' | 'neighbour',
  limit: number,
): Promise<readonly Found[]> {
  const conditions = condition === undefined ? [] : [condition]
  const ids = await settledRows(leg, async (where) => {
    const recent = recentBlocks(leg)
    if (recent !== undefined) {
      const found = await newestIds(leg, [...where, ...conditions, recent], limit)
      if (found.length === limit) return found
    }
    return await newestIds(leg, [...where, ...conditions], limit)
  })
  if (ids.length === 0) return []
  const places = new Map(ids.map((row, place) => [String(row.id), place]))
  const rows: readonly StoredRow[] = await leg.table
    .query()
    .select([...answerColumns[leg.name], 'embedding'])
    .where(`\`id\` IN (${ids.map((row) => `'${row.id}'`).join(', ')})`)
    .toArray()
  return rows.map((row) => foundRow(leg, row, match)).sort((a, b) => places.get(a.id)! - places.get(b.id)!)
}

async function newestIds(
  { table, written }: StructuredLeg,
  where: readonly string[],
  limit: number,
): Promise<readonly StoredRow[]> {
  const query = table.query().select(['id', written])
  if (where.length > 0) query.where(conjunction(where))
  query.orderBy([
    { columnName: written, ascending: false },
    { columnName: 'id', ascending: true },
  ])
  return await query.limit(limit).toArray()
}

/**
 * Of many blocks the newest 64th: what fits often is found there, and the newest of it need not be sorted out of all that ever
 * fitted. Undefined where looking twice is not worth it.
 */
function recentBlocks({ written, newest }: StructuredLeg): string | undefined {
  if (newest === undefined || newest < leastBlocks) return undefined
  return `\`${written}\` > ${newest - newest / 64n}`
}

/** The rows nearest to a vector, nearest first. */
export async function nearestRows(
  leg: StructuredLeg,
  vector: Float32Array,
  limit: number,
): Promise<readonly Found[]> {
  const rows = await settledRows(leg, async (where) => {
    const query = leg.table
      .query()
      .nearestTo(vector)
      .distanceType('cosine')
      .ef(Math.max(candidates, 2 * limit))
      .refineFactor(refine)
      .select([...answerColumns[leg.name], 'embedding', '_distance'])
      .limit(limit)
    if (where.length > 0) query.where(conjunction(where))
    return await query.toArray()
  })
  return rows
    .map((row) => ({ ...foundRow(leg, row, 'near'), distance: Number(row._distance) }))
    .sort(byDistance)
}

/**
 * Rows of the chain alone: where one comes from a write that is under way or was cut short, they are asked for again without such. As a
 * condition of every question that would cost more than all else.
 */
async function settledRows(
  { where, written, newest }: StructuredLeg,
  ask: (where: readonly string[]) => Promise<readonly StoredRow[]>,
): Promise<readonly StoredRow[]> {
  const rows = await ask(where)
  if (newest === undefined || rows.every((row) => (row[written] as bigint) <= newest)) return rows
  return await ask([...where, `\`${written}\` <= ${newest}`])
}

export function byDistance(a: Found, b: Found): number {
  if (a.distance !== b.distance) return a.distance! - b.distance!
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0
}

export function conjunction(conditions: readonly string[]): string {
  return conditions.map((condition) => `(${condition})`).join(' AND ')
}

function foundRow(leg: StructuredLeg, row: StoredRow, match: Found['match']): Found {
  return {
    table: leg.name,
    id: String(row.id),
    match,
    writtenAt: row[leg.written] as bigint,
    contract: String(leg.name === 'transactions' ? row.to : row.contract),
    sender: leg.name === 'transactions' ? String(row.from) : undefined,
    selector: String(row.selector),
    // Copied, so that no batch is kept alive.
    vector: Float32Array.from(row.embedding as unknown as Iterable<number>),
    content: { row },
  }
}
