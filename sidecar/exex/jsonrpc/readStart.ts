import { type ChainRing, createChainRing } from './chainRing.ts'
import { ChainMovedError } from './errors.ts'
import { finalityOf } from './finalityOf.ts'
import { findOldestBlock } from './findOldestBlock.ts'
import type { NodeLink } from './nodeLink.ts'
import type { ChainIdentity, NodeReader, ReceiptsMode } from './nodeReader.ts'
import { type NodeView, readView } from './readView.ts'
import { refillRing } from './refillRing.ts'

/** What a source knows before it follows. */
export type Start = {
  readonly identity: ChainIdentity
  readonly receipts: ReceiptsMode
  readonly ring: ChainRing
  readonly view: NodeView
  readonly oldestBlock: bigint
}

/**
 * Reads which chain this is, what the node can give, and the newest `maxReorgDepth` headers: without them a reorg soon after
 * the start could not be told as undo. Throws `ChainMovedError` when the chain moved meanwhile.
 */
export async function readStart(
  link: NodeLink,
  limits: { readonly maxReorgDepth: number; readonly finalityDepth: number },
): Promise<Start> {
  const { reader } = link
  const identity = await link.ensure()
  const receipts = await reader.receiptsMode()
  const view = await readView(reader, limits.finalityDepth)
  const { latest } = view
  const head = createChainRing([{ number: latest.number, hash: latest.hash }], limits.maxReorgDepth)
  const ring = await refillRing(head, reader)
  // Seen here, where it is read again, should a reorg have come between the calls of the view.
  for (const named of [view.safe, view.finalized]) finalityOf(ring, named)
  const oldestBlock = await findOldestBlock(latest.number, (number) => isReadable(reader, number, receipts))
  return { identity, receipts, ring, view, oldestBlock }
}

/** Whether the node has a block and its receipts. */
export async function isReadable(
  reader: NodeReader,
  number: bigint,
  receipts: ReceiptsMode,
): Promise<boolean> {
  try {
    return (await reader.block(number, receipts)) !== undefined
  } catch (error) {
    // Receipts asked for one by one are absent in this way.
    if (error instanceof ChainMovedError) return false
    throw error
  }
}
