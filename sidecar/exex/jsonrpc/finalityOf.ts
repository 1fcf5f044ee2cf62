import type { BlockRef } from '../../notification/types.ts'
import type { ChainRing } from './chainRing.ts'
import { ChainMovedError } from './errors.ts'

/**
 * What the node calls final (or safe), as a block of our chain. Above our tip (while catching up) it is the tip, which is final
 * with it. Throws `ChainMovedError` when the node named a block that is not on the chain it gave: the two were read around a
 * reorg, and nothing may be called final by mistake.
 */
export function finalityOf(ring: ChainRing, named: BlockRef | undefined): BlockRef | undefined {
  if (named === undefined) return undefined
  if (named.number > ring.tip.number) return ring.tip
  const known = ring.at(named.number)
  // Below the ring nothing can be undone any more: the node's word stands.
  if (known === undefined) return { number: named.number, hash: named.hash }
  if (known.hash === named.hash) return known
  throw new ChainMovedError({
    where: `finalized or safe block ${named.number}`,
    expected: known.hash,
    actual: named.hash,
  })
}
