import type { BlockRef } from '../../notification/types.ts'
import type { ChainRing } from './chainRing.ts'
import { brokenLink, ChainMovedError } from './errors.ts'
import type { NodeReader } from './nodeReader.ts'
import { readInOrder } from './readInOrder.ts'

/** Headers read at once. */
const HEADERS_AT_ONCE = 16

/**
 * The ring, filled downwards to its full depth: at start, and after an undo, so that every tip can be undone as deep as the last.
 * Throws `ChainMovedError` when the headers below do not lead to its oldest block.
 */
export async function refillRing(ring: ChainRing, reader: NodeReader): Promise<ChainRing> {
  const { missing, oldest } = ring
  if (missing === undefined) return ring
  const refs: BlockRef[] = []
  // The ring's oldest block is read again for its parent hash: the link to what is below it.
  const read = (number: bigint) => reader.header(number === oldest.number ? oldest.hash : number)
  for await (const header of readInOrder(missing.from, oldest.number, HEADERS_AT_ONCE, read)) {
    if (header === undefined)
      throw new ChainMovedError({
        where: `header below ${oldest.number}`,
        expected: 'a header',
        actual: 'none',
      })
    const previous = refs.at(-1)
    if (previous !== undefined && header.parentHash !== previous.hash)
      throw brokenLink(header, header.parentHash, previous)
    refs.push({ number: header.number, hash: header.hash })
  }
  return ring.refilled(refs.slice(0, -1))
}
