import type { BlockRef } from '../../notification/types.ts'
import type { ChainRing } from './chainRing.ts'

/**
 * What the node calls final (or safe), as a block of our chain. Above our tip (while catching up) it is the tip, which is final
 * with it. undefined where the node named a block that is not on our chain: it moved meanwhile, and to claim less is safe.
 */
export function finalityOf(ring: ChainRing, named: BlockRef | undefined): BlockRef | undefined {
  if (named === undefined) return undefined
  const tip = ring.tip()
  if (named.number > tip.number) return tip
  const known = ring.at(named.number)
  // Below the ring nothing can be undone any more: the node's word stands.
  if (known === undefined) return { number: named.number, hash: named.hash }
  return known.hash === named.hash ? known : undefined
}
