import type { Table } from '@lancedb/lancedb'
import { QueryError } from '../errors.ts'
import { type TableName, tableNames } from '../filter/columns.ts'
import { compileFilter } from '../filter/compileFilter.ts'
import { parseFilter } from '../filter/parseFilter.ts'
import type { Progress } from '../store/progress.ts'
import type { ContextAnswer, SearchRequest } from '../types.ts'
import { answerColumns, describeRow, type FoundRow, type StoredRow } from './describeRow.ts'
import { embedQuery } from './embedQuery.ts'
import { packItems } from './packItems.ts'
import { parseQuery } from './parseQuery.ts'
import { queryConditions } from './queryConditions.ts'

/** Most items of one answer. */
export const searchLimit = 1000

/**
 * Candidates of the approximate index looked at, and how many times the limit is compared exactly: recall 0.94 and up at
 * 112 000 rows. Both have no effect on exact search.
 */
const candidates = 64
const refine = 2

/**
 * Answers a question from both tables: rows it names first, newest first, then rows alike, nearest first; rows that merely
 * fit its filters, newest first, when it names nothing to compare with. Ties are ordered by id.
 * Throws `QueryError` and `FilterError` before anything is read.
 */
export async function searchTables(
  tables: Readonly<Record<TableName, Table>>,
  request: SearchRequest,
  progress: Progress,
): Promise<ContextAnswer> {
  const { query: text, limit, tokens, asOf } = request
  checkRange('limit', limit, searchLimit)
  checkRange('tokens', tokens, 1_000_000)
  if (asOf !== undefined && (asOf < 0n || asOf >= 2n ** 63n)) {
    throw new QueryError('QUERY_INVALID', `query: expected asOf as a block number, got ${asOf}`)
  }
  const query = parseQuery(text)
  const filter =
    request.filter === undefined || request.filter.trim() === '' ? undefined : parseFilter(request.filter)
  const vector = embedQuery(query)
  const warnings: string[] = []
  if (query.ignored.length > 0)
    warnings.push(`not understood: ${query.ignored.map((word) => `«${word}»`).join(', ')}`)
  if (asOf !== undefined)
    warnings.push(`rows written after block ${asOf} are left out, not shown as they were then`)

  const legs = tableNames.flatMap((table) => {
    const conditions = queryConditions(query, table)
    const condition = filter && compileFilter(filter, table, progress.finalized)
    if (filter && condition === undefined)
      warnings.push(`${table} left out: the filter names a column they do not have`)
    if (!conditions || (filter && condition === undefined)) return []
    const written = table === 'transactions' ? 'blockNumber' : 'boundary'
    const where = [...conditions.facets, ...(condition === undefined ? [] : [condition])]
    if (query.finality.length === 1)
      where.push(finalityCondition(written, query.finality[0]!, progress.finalized))
    if (asOf !== undefined) where.push(`\`${written}\` <= ${asOf}`)
    return [{ table, written, where, exact: conditions.exact }]
  })

  const exact = (
    await Promise.all(legs.map((leg) => (leg.exact === undefined ? [] : newest(leg, leg.exact))))
  ).flat()
  const rest =
    exact.length >= limit
      ? []
      : (await Promise.all(legs.map(vector ? nearest : (leg) => fitting(leg)))).flat()
  const seen = new Set(exact.map(({ table, row }) => `${table} ${row.id}`))
  const found = [
    ...exact.sort(byAge),
    ...rest.filter(({ table, row }) => !seen.has(`${table} ${row.id}`)).sort(byDistance),
  ]
  const items = found.slice(0, limit).map((row) => describeRow(row, progress.finalized))
  return {
    query: text,
    asOf: progress.asOf && { number: String(progress.asOf.number), hash: progress.asOf.hash },
    ...packItems(items, tokens),
    warnings,
  }

  type Leg = (typeof legs)[number]

  /**
   * In two steps, since a popular address has thousands of rows: sorted by their two short columns, and only the rows kept are
   * read whole.
   */
  async function newest(leg: Leg, condition: string | undefined): Promise<readonly FoundRow[]> {
    const where = [...leg.where, ...(condition === undefined ? [] : [condition])]
    const order = tables[leg.table].query().select(['id', leg.written])
    if (where.length > 0) order.where(conjunction(where))
    order.orderBy([
      { columnName: leg.written, ascending: false },
      { columnName: 'id', ascending: true },
    ])
    const ids: readonly StoredRow[] = await order.limit(limit).toArray()
    if (ids.length === 0) return []
    const list = ids.map((row) => `'${row.id}'`).join(', ')
    const rows = await tables[leg.table]
      .query()
      .select([...answerColumns[leg.table]])
      .where(`\`id\` IN (${list})`)
      .toArray()
    return foundRows(leg.table, rows, condition === undefined ? 'newest' : 'exact')
  }

  /** Rows that fit, when there is nothing to compare with; a question that names rows wants those only. */
  async function fitting(leg: Leg): Promise<readonly FoundRow[]> {
    const named = legs.some((other) => other.exact !== undefined)
    return named ? [] : newest(leg, undefined)
  }

  async function nearest(leg: Leg): Promise<readonly FoundRow[]> {
    const rows = tables[leg.table]
      .query()
      .nearestTo(vector!)
      .distanceType('cosine')
      .ef(Math.max(candidates, 2 * limit))
      .refineFactor(refine)
      .select([...answerColumns[leg.table], '_distance'])
      .limit(limit)
    if (leg.where.length > 0) rows.where(conjunction(leg.where))
    return foundRows(leg.table, await rows.toArray(), 'near')
  }
}

function foundRows(
  table: TableName,
  rows: readonly StoredRow[],
  match: FoundRow['match'],
): readonly FoundRow[] {
  return rows.map((row) => ({
    table,
    row,
    match,
    distance: match === 'near' ? Number(row._distance) : match === 'exact' ? 0 : 1,
  }))
}

function conjunction(conditions: readonly string[]): string {
  return conditions.map((condition) => `(${condition})`).join(' AND ')
}

function finalityCondition(written: string, finality: string, finalized: bigint | undefined): string {
  if (finalized === undefined) return finality === 'head' ? 'TRUE' : 'FALSE'
  return `\`${written}\` ${finality === 'finalized' ? '<=' : '>'} ${finalized}`
}

function writtenAt({ table, row }: FoundRow): bigint {
  return row[table === 'transactions' ? 'blockNumber' : 'boundary'] as bigint
}

function byAge(a: FoundRow, b: FoundRow): number {
  const [first, second] = [writtenAt(a), writtenAt(b)]
  if (first !== second) return first > second ? -1 : 1
  return compareIds(a, b)
}

function byDistance(a: FoundRow, b: FoundRow): number {
  if (a.distance !== b.distance) return a.distance - b.distance
  return a.match === 'newest' ? byAge(a, b) : compareIds(a, b)
}

function compareIds(a: FoundRow, b: FoundRow): number {
  const [first, second] = [String(a.row.id), String(b.row.id)]
  return first < second ? -1 : first > second ? 1 : 0
}

function checkRange(name: string, value: number, most: number): void {
  if (Number.isSafeInteger(value) && value >= 1 && value <= most) return
  throw new QueryError(
    'QUERY_INVALID',
    `query: expected ${name} as an integer from 1 to ${most}, got ${value}`,
  )
}
