import type { Config } from '#config'
import { type Chain, createChain } from './notification/chain.ts'
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
