import type { Config } from '#config'
import { type Chain, canonicalAt, createChain } from './notification/chain.ts'
import type { BlockRef } from './notification/types.ts'
import type { Store } from './watermark/store.ts'

/** The chain as the store left it: as many blocks as can be undone, and the one below them. Empty in a new store. */
export function restoredChain(config: Pick<Config, 'state' | 'finality'>, store: Store): Chain {
  const { undoDepth } = config.state
  const blocks = store.recentBlocks(undoDepth + 1)
  // Undoing all of a young chain leads to the block before its first one.
  const anchor = blocks[0] && store.parentOf(blocks[0].number)
  return createChain(
    anchor ? [anchor, ...blocks] : blocks,
    undoDepth,
    store.progress().finalized,
    BigInt(config.finality.depth),
  )
}

/**
 * May the server be told of this block? Not of one that the session of now began by taking back: it never sent it.
 * Below what can be undone nothing is taken back.
 */
export function isAsReceived(chain: Chain, block: BlockRef): boolean {
  const oldest = chain.refs[0]
  return (
    oldest === undefined ||
    block.number < oldest.number ||
    canonicalAt(chain, block.number)?.hash === block.hash
  )
}
