import { diversify } from './diversify.ts'
import type { RankedList, SearchTable } from './found.ts'
import { type RankContext, type Ranked, rank } from './rank.ts'

/** Weight of a row's own worth, against how much it repeats. */
const ownWorth = 0.7

/**
 * What was found, each row once, in the order of the answer: what the question names, the first of every list before the
 * second; then the rest by worth, set back where it repeats; rows that merely fit are the newest first.
 */
export function arrange(
  lists: readonly RankedList[],
  context: RankContext,
  lambda = ownWorth,
  places?: number,
): readonly Ranked[] {
  const ranked = rank(lists, context)
  const named = ranked.filter(({ found }) => found.match === 'exact').sort(byPlace)
  const others = ranked.filter(({ found }) => found.match !== 'exact' && found.match !== 'newest')
  const newest = ranked.filter(({ found }) => found.match === 'newest').sort(byAge)
  return [...named, ...diversify(others, lambda, places), ...newest]
}

/** Rows before what is concluded or written about them. */
const order: Readonly<Record<SearchTable, number>> = {
  transactions: 0,
  patterns: 0,
  entities: 1,
  memories: 2,
  documents: 2,
}

function byPlace(a: Ranked, b: Ranked): number {
  return a.place - b.place || order[a.found.table] - order[b.found.table] || byAge(a, b)
}

function byAge({ found: a }: Ranked, { found: b }: Ranked): number {
  const [first, second] = [a.writtenAt ?? -1n, b.writtenAt ?? -1n]
  if (first !== second) return first > second ? -1 : 1
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0
}
