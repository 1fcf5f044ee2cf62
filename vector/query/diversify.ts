import { closeness } from '../embed/closeness.ts'
import type { Ranked } from './rank.ts'
import { sharedWords } from './wordSets.ts'

/** Places that are chosen one by one; what follows keeps its order. Nobody reads that far for variety. */
const mostPlaces = 50
/** Rows looked at for each place. */
const mostCandidates = 200

/**
 * Maximal marginal relevance: each place goes to the row with the most of `lambda` times its own worth, less `1 - lambda` times
 * how much it is like the one most like it of those before. So ten calls alike do not crowd out all else.
 * @param places that somebody will see
 */
export function diversify(ranked: readonly Ranked[], lambda: number, places = mostPlaces): readonly Ranked[] {
  const open = ranked.slice(0, mostCandidates)
  // Worth is spread over 0 to 1, as likeness is: else variety would outweigh it or count for nothing.
  const most = open[0]?.rerank ?? 0
  const span = most - (open.at(-1)?.rerank ?? 0)
  const chosen: Ranked[] = []
  // How much each open row is like those chosen, kept up as they are.
  const likeness = new Float64Array(open.length)
  const taken = new Uint8Array(open.length)
  while (chosen.length < Math.min(places, mostPlaces, open.length)) {
    let best = -1
    let bestWorth = Number.NEGATIVE_INFINITY
    for (let index = 0; index < open.length; index += 1) {
      if (taken[index]) continue
      const own = span > 0 ? 1 - (most - open[index]!.rerank) / span : 1
      const worth = lambda * own - (1 - lambda) * likeness[index]!
      if (worth > bestWorth) {
        best = index
        bestWorth = worth
      }
    }
    const next = open[best]!
    taken[best] = 1
    chosen.push(next)
    for (let index = 0; index < open.length; index += 1)
      if (!taken[index]) likeness[index] = Math.max(likeness[index]!, likenessOf(open[index]!, next))
  }
  return [...chosen, ...open.filter((_, index) => !taken[index]), ...ranked.slice(mostCandidates)]
}

/** 0 to 1: cosine of two vectors of one length, or the share of words that two texts have in common; 0 where nothing compares. */
export function likenessOf({ found: a }: Ranked, { found: b }: Ranked): number {
  if (a.vector && b.vector && a.vector.length === b.vector.length) {
    return Math.min(1, Math.max(0, closeness(a.vector, b.vector)))
  }
  return a.words && b.words ? sharedWords(a.words, b.words) : 0
}
