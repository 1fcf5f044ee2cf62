import type { BlockRef } from './types.ts'

/** A block reference as people write it: `#12 0xabc…`. */
export const formatRef = (ref: BlockRef | undefined): string => (ref ? `#${ref.number} ${ref.hash}` : 'none')

/**
 * What arrived does not connect to what was applied. Nothing of it is applied; a reconnect with a locator repairs it.
 */
export class GapError extends Error {
  override readonly name = 'GapError'
  readonly code = 'NOTIFICATION_GAP'
  readonly expected: string
  readonly actual: string

  constructor(facts: { expected: string; actual: string; at: BlockRef }) {
    super(
      `Chain gap at block ${formatRef(facts.at)}: expected ${facts.expected}, got ${facts.actual}. ` +
        'Nothing was applied; reconnecting with a locator.',
    )
    this.expected = facts.expected
    this.actual = facts.actual
  }
}

/**
 * The canonical chain left ours at a block that can no longer be undone: below the kept undo, or below a block that
 * was final. Applying stops; nothing undone is served as current.
 */
export class ReorgTooDeepError extends Error {
  override readonly name = 'ReorgTooDeepError'
  readonly code = 'REORG_TOO_DEEP'
  readonly ancestor: BlockRef
  readonly limit: 'undo' | 'finalized'

  constructor(facts: { ancestor: BlockRef; tip: BlockRef; floor: bigint; limit: 'undo' | 'finalized' }) {
    const why =
      facts.limit === 'undo'
        ? `undo is kept down to block ${facts.floor} only (state.undo_depth)`
        : `block ${facts.floor} was final`
    super(
      `The node's chain leaves ours above block ${formatRef(facts.ancestor)}, our tip is ${formatRef(facts.tip)}, and ${why}. ` +
        'Applying has stopped and the stored state is of the old chain. To recover, check that the node is on the ' +
        'right chain; then start with another --data-dir (or remove this one) to rebuild from the chain.',
    )
    this.ancestor = facts.ancestor
    this.limit = facts.limit
  }
}
