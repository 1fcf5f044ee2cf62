import { embedPattern } from '../embed/embedPattern.ts'
import { embedTransaction } from '../embed/embedTransaction.ts'
import type { PatternProfile, TransactionRow } from '../types.ts'
import type { StoredRow } from './describeRow.ts'
import type { Found } from './found.ts'
import type { StructuredLeg } from './planLegs.ts'

/**
 * Partitions of the approximate index looked through. At 1 000 000 rows recall@10 was 1.0 in 224 partitions, 0.99 with conditions; in 2 048,
 * of 8 to 64, 0.98 and up, but 0.84 to 0.95 for the newest tenth of the rows alone. No effect on exact search.
 */
const probes = 32
/** Blocks up to which all are looked through at once. */
const leastBlocks = 4096n

/**
 * The newest rows that fit any of the conditions, newest first. By the row index where one of its indices leads to them; else LanceDB tells
 * which they are.
 * @param conditions undefined: every row of the leg
 */
export async function newestRows(
  leg: StructuredLeg,
  conditions: readonly string[] | undefined,
  match: 'exact' | 'words' | 'newest' | 'neighbour',
  limit: number,
): Promise<readonly Found[]> {
  const found = await Promise.all((conditions ?? [undefined]).map((each) => newestThat(leg, each, limit)))
  const rows = new Map(found.flat().map((row) => [String(row.id), row]))
  return [...rows.values()]
    .sort((a, b) => byAge(leg, a, b))
    .slice(0, limit)
    .map((row) => foundRow(leg, row, match))
}

function byAge({ written }: StructuredLeg, a: StoredRow, b: StoredRow): number {
  const [first, second] = [a[written] as bigint, b[written] as bigint]
  if (first !== second) return first > second ? -1 : 1
  return a.id! < b.id! ? -1 : 1
}

async function newestThat(
  leg: StructuredLeg,
  condition: string | undefined,
  limit: number,
): Promise<readonly StoredRow[]> {
  const where = [...leg.where, ...(condition === undefined ? [] : [condition]), ...settled(leg)]
  if (leg.isLookedUp(condition)) return leg.rows.newest(leg.name, where, limit)
  const recent = recentBlocks(leg)
  let ids = recent === undefined ? [] : await newestIds(leg, [...where, recent], limit)
  if (ids.length < limit) ids = await newestIds(leg, where, limit)
  return leg.rows.byIds(
    leg.name,
    ids.map((row) => String(row.id)),
  )
}

/** Rows of the chain alone: later ones come from a write that is under way or was cut short. */
function settled({ written, newest }: StructuredLeg): readonly string[] {
  return newest === undefined ? [] : [`\`${written}\` <= ${newest}`]
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
  const near = await nearestIds(leg, leg.where, vector, limit)
  const rows = readRows(leg, near)
  if (rows.length === near.length || leg.newest === undefined) return rows
  // As a condition of every question this would cost more than all else.
  return readRows(leg, await nearestIds(leg, [...leg.where, ...settled(leg)], vector, limit))
}

type Near = { readonly id: string; readonly distance: number }

async function nearestIds(
  { table }: StructuredLeg,
  where: readonly string[],
  vector: Float32Array,
  limit: number,
): Promise<readonly Near[]> {
  const query = table
    .query()
    .nearestTo(vector)
    .distanceType('cosine')
    .nprobes(probes)
    .select(['id', '_distance'])
    .limit(limit)
  if (where.length > 0) query.where(conjunction(where))
  const rows: readonly StoredRow[] = await query.toArray()
  return rows.map((row) => ({ id: String(row.id), distance: Number(row._distance) }))
}

/** What is there of the rows, but what later blocks wrote. */
function readRows(leg: StructuredLeg, near: readonly Near[]): readonly Found[] {
  const distances = new Map(near.map(({ id, distance }) => [id, distance]))
  return leg.rows
    .byIds(leg.name, [...distances.keys()])
    .filter((row) => leg.newest === undefined || (row[leg.written] as bigint) <= leg.newest)
    .map((row) => ({ ...foundRow(leg, row, 'near'), distance: distances.get(String(row.id))! }))
    .sort(byDistance)
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
    vector: leg.name === 'transactions' ? embedTransaction(asTransaction(row)) : embedPattern(asPattern(row)),
    content: { row },
  }
}

/** A stored row as it was given, as far as its vector depends on it. */
function asTransaction(row: StoredRow): TransactionRow {
  const numbers = {
    gasLimit: Number(row.gasLimit),
    calldataBytes: Number(row.calldataBytes),
    type: Number(row.type),
  }
  return { ...(row as unknown as TransactionRow), ...numbers }
}

function asPattern(row: StoredRow): PatternProfile {
  return row as unknown as PatternProfile
}
