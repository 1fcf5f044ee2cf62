import type { Found, RankedList, SearchTable } from './found.ts'
import type { Meant } from './readQuestion.ts'

export type Ranked = {
  readonly found: Found
  /** Reciprocal ranks summed, the best of all being 1. */
  readonly fused: number
  /** 0 to 1: 1 when it is named. */
  readonly nearness: number
  /** What decides the order before repetition is set back, 0 to 1. */
  readonly rerank: number
  /** Its best place, from 0, in any list but those by vector; the largest integer where it is in no other. */
  readonly place: number
}

/**
 * How ranks are fused: of the paper on reciprocal rank fusion. With it the tenth place of a list still counts 9/10 of the first, so
 * that what several lists agree on wins.
 */
const rankOffset = 60

/**
 * How much the features of a row count. What the question names stands above everything else; then where the lists put it and how near
 * it is; newest and final rows win where that is even.
 */
export const weights = { exact: 0.4, meant: 0.25, fused: 0.15, nearness: 0.15, recency: 0.03, finality: 0.02 }

export type RankContext = {
  readonly meant: Meant
  readonly newest: bigint | undefined
  readonly finalized: bigint | undefined
}

/** Rows of all lists by reciprocal rank fusion, each once, with the best that any list knows of it; then by features. Ties by id. */
export function rank(lists: readonly RankedList[], context: RankContext): readonly Ranked[] {
  const sums = new Map<string, { found: Found; fused: number; place: number }>()
  for (const { leg, found } of lists) {
    for (const [index, row] of found.entries()) {
      const key = `${row.table} ${row.place ?? row.id}`
      const share = 1 / (rankOffset + index + 1)
      const place = leg === 'vector' ? Number.MAX_SAFE_INTEGER : index
      const known = sums.get(key)
      if (known) {
        const best = Math.min(known.place, place)
        sums.set(key, { found: merge(known.found, row), fused: known.fused + share, place: best })
      } else sums.set(key, { found: row, fused: share, place })
    }
  }
  const best = Math.max(0, ...[...sums.values()].map(({ fused }) => fused))
  const bestBm25 = Math.max(0, ...[...sums.values()].map(({ found }) => found.bm25 ?? 0))
  return [...sums.values()]
    .map(({ found, fused, place }): Ranked => {
      const share = best > 0 ? fused / best : 0
      const near = nearness(found, bestBm25)
      return { found, fused: share, nearness: near, rerank: rerankOf(found, share, near, context), place }
    })
    .sort((a, b) => b.rerank - a.rerank || compareKeys(a.found, b.found))
}

/**
 * How near a row is to the question, 0 to 1: 1 when it is named, else by vector or by words, whichever says more. Words count by how
 * rare they are and by how many of them a text has, a half each.
 * @param bestBm25 the highest of the answer
 */
export function nearness({ match, distance, bm25, coverage }: Found, bestBm25: number): number {
  if (match === 'exact') return 1
  const byVector = distance === undefined ? 0 : Math.min(1, Math.max(0, 1 - distance))
  const byWords = bm25 === undefined ? 0 : (bm25 / bestBm25 + (coverage ?? 0)) / 2
  return Math.max(byVector, byWords)
}

function rerankOf(
  found: Found,
  fused: number,
  near: number,
  { newest, finalized, meant }: RankContext,
): number {
  const { match, writtenAt } = found
  return (
    (match === 'exact' ? weights.exact : 0) +
    weights.meant * meantShare(found, meant) +
    weights.fused * fused +
    weights.nearness * near +
    weights.recency * recency(writtenAt, newest) +
    (writtenAt !== undefined && finalized !== undefined && writtenAt <= finalized ? weights.finality : 0)
  )
}

/** How much of what the words stand for a row is of: its contract, its call, a half each where both are meant. Less where words are left over. */
function meantShare({ contract, sender, selector }: Found, { contracts, selectors, share }: Meant): number {
  const shares: number[] = []
  const isOf = (address: string | undefined) => address !== undefined && contracts.includes(address)
  if (contracts.length > 0) shares.push(isOf(contract) || isOf(sender) ? 1 : 0)
  if (selectors.length > 0) shares.push(selector !== undefined && selectors.includes(selector) ? 1 : 0)
  if (shares.length === 0) return 0
  return (share * shares.reduce((sum, each) => sum + each, 0)) / shares.length
}

/** 1 for the newest block, a half a thousand blocks behind it, and so on towards 0. */
function recency(writtenAt: bigint | undefined, newest: bigint | undefined): number {
  if (writtenAt === undefined || newest === undefined) return 0
  const age = newest > writtenAt ? Number(newest - writtenAt) : 0
  return 1000 / (1000 + age)
}

const matchOrder = ['exact', 'words', 'near', 'neighbour', 'newest']

function merge(a: Found, b: Found): Found {
  const [first, second] = matchOrder.indexOf(a.match) <= matchOrder.indexOf(b.match) ? [a, b] : [b, a]
  return {
    ...first,
    id: first.id || second.id,
    content: first.content ?? second.content,
    distance: lower(a.distance, b.distance),
    bm25: a.bm25 ?? b.bm25,
    coverage: a.coverage ?? b.coverage,
    embedder: a.embedder ?? b.embedder,
    vector: first.vector ?? second.vector,
    words: first.words ?? second.words,
  }
}

function lower(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return Math.min(a, b)
}

const tableOrder: readonly SearchTable[] = ['entities', 'patterns', 'transactions', 'memories', 'documents']

function compareKeys(a: Found, b: Found): number {
  if (a.table !== b.table) return tableOrder.indexOf(a.table) - tableOrder.indexOf(b.table)
  if (a.writtenAt !== b.writtenAt) return (a.writtenAt ?? 0n) > (b.writtenAt ?? 0n) ? -1 : 1
  if (a.place !== undefined && b.place !== undefined) return a.place - b.place
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0
}
