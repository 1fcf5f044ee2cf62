import { closeness } from '../embed/closeness.ts'
import { embedPattern } from '../embed/embedPattern.ts'
import { embedTransaction } from '../embed/embedTransaction.ts'
import { conjunction } from '../filter/conjunction.ts'
import type { RowIndex } from '../rows/rowIndex.ts'
import { placeOf } from '../rows/rowPlaces.ts'
import type { RowKey } from '../rows/rowSchema.ts'
import { transactionOf } from '../rows/storedRows.ts'
import type { PatternProfile } from '../types.ts'
import type { StoredRow } from './describeRow.ts'
import type { Found, ReadFound } from './found.ts'
import type { HeldRow, StructuredLeg } from './planLegs.ts'

/** Partitions of the approximate index looked through; under conditions the nearest that fit are farther apart. No effect on exact search. */
const probes = 32
const probesUnderConditions = 64
/**
 * Rows asked for beyond those that are wanted: the index of transactions knows vectors by two bits of each component, and the best of its
 * best are chosen here; each costs a row read. Patterns have none.
 */
const more = { transactions: 20, patterns: 0 }
/** Held rows looked through, nearest first, for some that fulfil conditions: where an index has the others, and where there are no others. */
const looked = { others: 500, all: 2_000 }
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
  let keys = recent === undefined ? [] : await newestKeys(leg, [...where, recent], limit)
  if (keys.length < limit) keys = await newestKeys(leg, where, limit)
  return leg.rows.byKeys(leg.name, keys)
}

/** Rows of the chain alone: later ones come from a write that is under way or was cut short. */
function settled({ written, newest }: StructuredLeg): readonly string[] {
  return newest === undefined ? [] : [`\`${written}\` <= ${newest}`]
}

async function newestKeys(
  { name, table, written }: StructuredLeg,
  where: readonly string[],
  limit: number,
): Promise<readonly RowKey[]> {
  const query = table.query().select(['id', written]).withRowId()
  if (where.length > 0) query.where(conjunction(where))
  query.orderBy([
    { columnName: written, ascending: false },
    { columnName: 'id', ascending: true },
  ])
  return keysOf(name, await query.limit(limit).toArray())
}

/**
 * Of many blocks the newest 64th: what fits often is found there, and the newest of it need not be sorted out of all that ever
 * fitted. Undefined where looking twice is not worth it.
 */
function recentBlocks({ written, newest }: StructuredLeg): string | undefined {
  if (newest === undefined || newest < leastBlocks) return undefined
  return `\`${written}\` > ${newest - newest / 64n}`
}

/**
 * The rows nearest to a vector, nearest first. Where all are held in memory, none of them is read: `readLate` reads those that are shown, one in
 * four, each a page or two from anywhere in the file.
 * @param mustRead whether contracts and calls choose among them, which only patterns are known by
 */
export async function nearestRows(
  leg: StructuredLeg,
  vector: Float32Array,
  limit: number,
  mustRead = true,
): Promise<readonly Found[]> {
  const isKnown = leg.name === 'patterns' || !mustRead
  const late = isKnown ? await leg.held?.nearestHeld?.(vector, limit) : undefined
  if (late) {
    const settled = late.filter(({ writtenAt }) => leg.newest === undefined || writtenAt <= leg.newest)
    return settled.map((row) => foundHeld(leg.name, row))
  }
  const wanted = limit + more[leg.name]
  const recent = await nearestOfHeld(leg, vector, limit)
  if (recent) {
    const near = leg.held?.isAll() ? [] : await nearestKeys(leg, leg.where, vector, wanted, true)
    const rows = readRows(leg, [...near, ...recent.keys], vector)
    if (isComplete(rows)) return rows.slice(0, limit)
  }
  const near = await nearestKeys(leg, leg.where, vector, wanted, false)
  const rows = readRows(leg, near, vector)
  if (leg.newest === undefined || rows.length === near.length) return rows.slice(0, limit)
  // As a condition of every question this would cost more than all else.
  const again = await nearestKeys(leg, [...leg.where, ...settled(leg)], vector, wanted, false)
  return readRows(leg, again, vector).slice(0, limit)

  /** Whether no held row that was not looked at can be among them. */
  function isComplete(rows: readonly Found[]): boolean {
    if (recent?.last === undefined) return true
    const [last] = readRows(leg, [recent.last], vector)
    return last !== undefined && rows.length >= limit && rows[limit - 1]!.distance! <= last.distance!
  }
}

/**
 * Rows that no index holds; undefined where they have to be found by LanceDB, with the others.
 * Where not all were looked at, `last` is the farthest of those that were.
 */
async function nearestOfHeld(
  leg: StructuredLeg,
  vector: Float32Array,
  wanted: number,
): Promise<{ readonly keys: readonly RowKey[]; readonly last?: RowKey } | undefined> {
  const { held } = leg
  if (!held) return undefined
  const exact = held.isExact ? await held.nearest(vector, wanted) : undefined
  if (exact) return { keys: exact }
  const listed = held.list?.(leg.where)
  const among = listed && held.nearestAmong(vector, wanted, listed)
  if (among) return { keys: among }
  const most = Math.max(wanted, held.isAll() ? looked.all : looked.others)
  const near = held.isExact ? undefined : await held.nearest(vector, most)
  if (!near) return undefined
  const fitting = new Set(leg.rows.fitting(leg.name, near, leg.where))
  const keys = near.filter((key) => fitting.has(key)).slice(0, wanted)
  const isEnough = keys.length === wanted || near.length < most
  return isEnough ? { keys } : { keys, last: near.at(-1)! }
}

async function nearestKeys(
  { name, table }: StructuredLeg,
  where: readonly string[],
  vector: Float32Array,
  limit: number,
  isFast: boolean,
): Promise<readonly RowKey[]> {
  const query = table
    .query()
    .nearestTo(vector)
    .distanceType('cosine')
    .nprobes(where.length === 0 ? probes : probesUnderConditions)
    // The index has row ids; to read any column of what it finds takes LanceDB longer than to find it.
    .select(name === 'transactions' ? ['_distance'] : ['id', '_distance'])
    .withRowId()
    .limit(limit)
  if (isFast) query.fastSearch()
  if (where.length > 0) query.where(conjunction(where))
  return keysOf(name, await query.toArray())
}

function keysOf(name: StructuredLeg['name'], rows: readonly StoredRow[]): readonly RowKey[] {
  return rows.map((row) => (name === 'transactions' ? placeOf(row) : String(row.id)))
}

/** What is there of the rows, but what later blocks wrote; nearest first, as near as they are. */
function readRows(leg: StructuredLeg, keys: readonly RowKey[], vector: Float32Array): readonly Found[] {
  return leg.rows
    .byKeys(leg.name, [...new Set(keys)])
    .filter((row) => leg.newest === undefined || (row[leg.written] as bigint) <= leg.newest)
    .map((row) => foundRow(leg, row, 'near'))
    .map((found) => ({ ...found, distance: Math.max(0, 1 - closeness(vector, found.vector!)) }))
    .sort(byDistance)
}

/** As near ones in the order they were written. */
export function byDistance(
  a: Pick<Found, 'distance' | 'id' | 'place'>,
  b: Pick<Found, 'distance' | 'id' | 'place'>,
): number {
  if (a.distance !== b.distance) return a.distance! - b.distance!
  if (a.place !== undefined && b.place !== undefined) return a.place - b.place
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0
}

function foundRow(leg: StructuredLeg, row: StoredRow, match: Found['match']): Found {
  return {
    table: leg.name,
    id: String(row.id),
    place: leg.name === 'transactions' ? Number(row.place) : undefined,
    match,
    writtenAt: row[leg.written] as bigint,
    contract: String(leg.name === 'transactions' ? row.to : row.contract),
    sender: leg.name === 'transactions' ? String(row.from) : undefined,
    selector: String(row.selector),
    vector: leg.name === 'transactions' ? embedTransaction(transactionOf(row)) : embedPattern(asPattern(row)),
    content: { row },
  }
}

function foundHeld(table: StructuredLeg['name'], { closeness, id = '', ...known }: HeldRow): Found {
  const distance = Math.max(0, 1 - closeness)
  return { table, id, ...known, match: 'near', distance }
}

/** Rows as they were found, those that were not read yet now read; one that has gone meanwhile is left out. */
export function readLate<Row extends { readonly found: Found }>(
  rows: RowIndex,
  shown: readonly Row[],
): readonly (Row & { readonly found: ReadFound })[] {
  const late = shown.map(({ found }) => found).filter(({ content }) => !content)
  const places = late.flatMap(({ table, place }) => (table === 'transactions' ? [place!] : []))
  const ids = late.flatMap(({ table, id }) => (table === 'patterns' ? [id] : []))
  const read = new Map<RowKey, StoredRow>([
    ...rows.byKeys('transactions', places).map((row) => [Number(row.place), row] as const),
    ...rows.byKeys('patterns', ids).map((row) => [String(row.id), row] as const),
  ])
  return shown.flatMap((each) => {
    const { content, place, id } = each.found
    if (content) return [{ ...each, found: { ...each.found, content } }]
    const row = read.get(place ?? id)
    return row ? [{ ...each, found: { ...each.found, id: String(row.id), content: { row } } }] : []
  })
}

function asPattern(row: StoredRow): PatternProfile {
  return row as unknown as PatternProfile
}
