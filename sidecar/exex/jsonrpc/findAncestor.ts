import type { BlockRef } from '../../notification/types.ts'
import type { ChainRing } from './chainRing.ts'
import { ChainMovedError, ReorgTooDeepError } from './errors.ts'
import type { Header, NodeReader } from './nodeReader.ts'

/**
 * The highest block of `ring` that is on the node's chain ending in `latest`. From the height both have, parent hashes are
 * walked down, one call a block: a hash names one chain, so a reorg meanwhile cannot mix two.
 *
 * Throws `ReorgTooDeepError` when no block of the ring is on that chain, `ChainMovedError` when the node loses a block on the way.
 */
export async function findAncestor(
  ring: ChainRing,
  latest: Header,
  reader: NodeReader,
  limits: { readonly node: string; readonly maxReorgDepth: number },
): Promise<BlockRef> {
  const tip = ring.tip
  const tooDeep = () => new ReorgTooDeepError({ ...limits, tip, head: latest, oldest: ring.oldest })
  if (latest.number < ring.oldest.number) throw tooDeep()

  let header = latest
  if (latest.number > tip.number + 1n) {
    // Blocks were missed. Read by number, so it may be of another chain than `latest`; reading the blocks above will show.
    const atTip = await reader.header(tip.number)
    if (atTip === undefined) throw moved(tip.number)
    header = atTip
  }
  while (true) {
    if (ring.has(header.number, header.hash)) return refOf(header)
    const parent = { number: header.number - 1n, hash: header.parentHash }
    if (ring.has(parent.number, parent.hash)) return parent
    if (parent.number < ring.oldest.number) throw tooDeep()
    const next = await reader.header(parent.hash)
    if (next === undefined) throw moved(parent.number)
    if (next.number !== parent.number)
      throw new ChainMovedError({
        where: `parent ${parent.hash} of block ${header.number}`,
        expected: `block ${parent.number}`,
        actual: `block ${next.number}`,
      })
    header = next
  }
}

function moved(number: bigint): ChainMovedError {
  return new ChainMovedError({
    where: `block ${number} of the node's chain`,
    expected: 'a block',
    actual: 'none',
  })
}

function refOf({ number, hash }: Header): BlockRef {
  return { number, hash }
}
