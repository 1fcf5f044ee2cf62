/** A `Retry-After` header, seconds or a date, as ms from `nowMs` (Unix); undefined without one that can be read. Never negative. */
export function readRetryAfter(value: string | null, nowMs: number): number | undefined {
  if (value === null) return undefined
  const text = value.trim()
  if (/^\d{1,9}(\.\d{1,3})?$/.test(text)) return Math.round(Number(text) * 1000)
  // An HTTP date has a month in letters; `Date.parse` alone would take a lone year.
  const at = /[a-z]{3}/i.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs)
}
