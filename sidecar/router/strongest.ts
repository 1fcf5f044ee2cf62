import type { PatternTable } from './patternTable.ts'

/**
 * The `limit` ids of greatest `strength`, ties to the smaller key; in no order. A threshold from one sort of numbers is
 * found much faster than by sorting ids with a comparator.
 */
export function strongest(
  ids: readonly number[],
  limit: number,
  strength: (id: number) => number,
  table: PatternTable,
): number[] {
  if (ids.length <= limit) return [...ids]
  if (limit <= 0) return []
  const strengths = Float64Array.from(ids, strength)
  const threshold = Float64Array.from(strengths).sort()[ids.length - limit]!
  const above: number[] = []
  const level: number[] = []
  for (let i = 0; i < ids.length; i++) {
    if (strengths[i]! > threshold) above.push(ids[i]!)
    else if (strengths[i] === threshold) level.push(ids[i]!)
  }
  level.sort((a, b) => table.compareKeys(a, b))
  return above.concat(level.slice(0, limit - above.length))
}
