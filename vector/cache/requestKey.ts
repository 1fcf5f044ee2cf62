import { queryBytes } from '../query/parseQuery.ts'
import type { SearchRequest } from '../types.ts'

/**
 * One text for all requests that mean the same: fields in one order, absent ones left out, blanks between words made one. Every field
 * is in it, known here or not.
 */
export function requestKey(request: SearchRequest): string {
  const { query, filter, ...rest } = request
  const fields = Object.entries({
    ...rest,
    // Beyond the longest question blanks decide whether it is refused.
    query: Buffer.byteLength(query) > queryBytes ? query : query.trim().replace(/\s+/g, ' '),
    filter: filter === undefined || filter.trim() === '' ? undefined : filter,
  })
  const sorted = fields.filter(([, value]) => value !== undefined).sort(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify(Object.fromEntries(sorted), (_, value: unknown) =>
    typeof value === 'bigint' ? { bigint: String(value) } : value,
  )
}

/** The request of a key: one of those that mean the same. */
export function requestOfKey(key: string): SearchRequest {
  return JSON.parse(key, (_, value: unknown) =>
    typeof value === 'object' && value !== null && 'bigint' in value ? BigInt(String(value.bigint)) : value,
  ) as SearchRequest
}
