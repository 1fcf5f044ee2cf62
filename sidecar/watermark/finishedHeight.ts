import type { BlockRef } from '../notification/types.ts'

/**
 * The height a node may forget up to: the lower of durable and finalized, on the canonical chain.
 *
 * reth drops commits at or below a height that a reorg made stale, so nothing above finalized is ever safe, and nothing
 * above durable is ours to give away.
 * @param canonical our durable canonical block at a number; undefined where we hold none
 * @returns undefined while there is nothing to acknowledge: no block durable, none final, finality below our first
 *   block, or a finalized block that is not on our chain
 */
export function finishedHeight(
  durable: BlockRef | undefined,
  finalized: BlockRef | undefined,
  canonical: (number: bigint) => BlockRef | undefined,
): BlockRef | undefined {
  if (durable === undefined || finalized === undefined) return undefined
  const lower = finalized.number < durable.number ? finalized : durable
  const ours = canonical(lower.number)
  if (ours === undefined || ours.hash !== lower.hash) return undefined
  // At equal heights both must name the same block.
  if (finalized.number === durable.number && finalized.hash !== durable.hash) return undefined
  return ours
}
