import type { BlockRef } from '../../notification/types.ts'

/** Entries without gaps, from the tip down: a reorg is nearly always found among them. */
const DENSE = 16

/**
 * A locator from a consumer's chain, oldest first: newest first, dense near the tip, then with doubling gaps, ending with
 * `finalized` (or the oldest block known; one above the tip is not on this chain yet). 16 + log2(n) entries; whatever block the chains share, the server finds one
 * at most as far below it as it lies below the tip.
 */
export function buildLocator(
  refs: readonly BlockRef[],
  finalized: BlockRef | undefined,
): readonly BlockRef[] {
  const tip = refs.at(-1)
  const final = tip && finalized && finalized.number <= tip.number ? finalized : undefined
  const above = final ? refs.filter((ref) => ref.number > final.number) : refs
  const locator: BlockRef[] = []
  let gap = 1
  for (let i = above.length - 1; i >= 0; i -= gap) {
    locator.push(above[i]!)
    if (locator.length >= DENSE) gap *= 2
  }
  const end = final ?? refs[0]
  if (end !== undefined && locator.at(-1)?.number !== end.number) locator.push(end)
  return locator
}
