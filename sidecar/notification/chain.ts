import { formatRef, GapError, ReorgTooDeepError } from './errors.ts'
import type { Block, BlockRef, Notification } from './types.ts'

/**
 * Our canonical chain, as far back as it can be undone. Immutable: a reducer's state.
 *
 * Invariants: `refs` is contiguous and ends at the tip; `refs[0]` is the anchor, which is never undone: the block
 * before the first one applied, or the oldest whose successors still have their undo. Empty until the first resume of
 * a chain that has nothing applied names the anchor.
 */
export type Chain = {
  readonly refs: readonly BlockRef[]
  /** Most blocks that can be undone. */
  readonly undoDepth: number
  /** The highest block known final on this chain. */
  readonly finalized: BlockRef | undefined
  /** Where the node has no finalized block, the one so many below our tip stands in; undefined: none does. */
  readonly finalityDepth: bigint | undefined
}

/**
 * What moves the chain: a notification; the ancestor a server resumed us from (everything above it is undone); the
 * node's heads, heard while idle.
 */
export type ChainInput =
  | Notification
  | { readonly kind: 'resumed'; readonly ancestor: BlockRef }
  | { readonly kind: 'heads'; readonly finalized: BlockRef | undefined }

/** What to do, undo newest first and then apply oldest first, and the chain once it is done. */
export type ChainMove = {
  readonly undo: readonly BlockRef[]
  readonly apply: readonly Block[]
  readonly chain: Chain
}

/** Slack kept beyond `undoDepth` before the window is cut, so that most blocks append to it without a copy of all. */
const WINDOW_SLACK = 64

/** @param refs the anchor and the blocks applied on it, oldest first; empty when nothing was ever applied */
export function createChain(
  refs: readonly BlockRef[],
  undoDepth: number,
  finalized: BlockRef | undefined,
  finalityDepth?: bigint,
): Chain {
  return { refs, undoDepth, finalized, finalityDepth }
}

/** undefined only before the first resume. */
export const chainTip = (chain: Chain): BlockRef | undefined => chain.refs[chain.refs.length - 1]

/** Our canonical block at a height, where the window still holds it. */
export function canonicalAt(chain: Chain, number: bigint): BlockRef | undefined {
  const first = chain.refs[0]
  return !first || number < first.number ? undefined : chain.refs[Number(number - first.number)]
}

const isCanonical = (chain: Chain, ref: BlockRef): boolean =>
  canonicalAt(chain, ref.number)?.hash === ref.hash

/**
 * Moves the chain by one input, or throws and leaves it as it was.
 *
 * The blocks' own parent links decide, not the announced undo list: a commit on an ancestor is an implicit unwind to
 * it, and a repeated notification changes nothing.
 *
 * @throws GapError when it does not connect to the chain
 * @throws ReorgTooDeepError when it would undo a final block, or more than is kept
 */
export function moveChain(chain: Chain, input: ChainInput): ChainMove {
  switch (input.kind) {
    case 'heads':
      return { chain: finalize(chain, input.finalized, false), undo: [], apply: [] }
    case 'resumed':
      // Nothing is applied above the anchor, so where we start is still the server's to say.
      if (chain.refs.length <= 1) return { chain: { ...chain, refs: [input.ancestor] }, undo: [], apply: [] }
      return { ...unwind(chain, input.ancestor), apply: [] }
    case 'committed':
    case 'reorged': {
      const move = extend(chain, input.blocks)
      // A live block waited in the server's ring: it may have been undone since, when `finalized` was read.
      return { ...move, chain: finalize(move.chain, input.finalized, input.source === 'catchUp') }
    }
    case 'reverted': {
      const lowest = input.undo[0]
      if (lowest && isCanonical(chain, lowest)) return { ...unwind(chain, input.parent), apply: [] }
      // Already reverted, or never applied here: nothing to take back as long as we stand where the node does.
      if (chainTip(chain)?.hash === input.parent.hash) return { chain, undo: [], apply: [] }
      throw new GapError({
        at: input.parent,
        expected: `a revert of our chain, whose tip is ${formatRef(chainTip(chain))}`,
        actual: `a revert of ${formatRef(lowest)}`,
      })
    }
  }
}

/**
 * Notes what the node calls final, as far as our chain does not say otherwise. Never moves back.
 *
 * @param sentWith true when the same message brought our tip: the tip was canonical when `finalized` was read, so a
 *   final block above it makes it final too (this is how a catch-up far behind gets a finalized block at all)
 */
export function finalize(chain: Chain, told: BlockRef | undefined, sentWith: boolean): Chain {
  const finalized = told ?? standIn(chain)
  if (!finalized || finalized.number <= (chain.finalized?.number ?? -1n)) return chain
  const tip = chainTip(chain)
  if (!tip) return chain
  if (finalized.number > tip.number) {
    if (!sentWith || tip.number <= (chain.finalized?.number ?? -1n)) return chain
    return { ...chain, finalized: tip }
  }
  // Below the window nothing can be undone, and nothing is known but what the node says: whether the block is ours is
  // asked where it is looked up.
  if (finalized.number < chain.refs[0]!.number) return { ...chain, finalized }
  const ours = canonicalAt(chain, finalized.number)
  return ours?.hash === finalized.hash ? { ...chain, finalized: ours } : chain
}

function standIn(chain: Chain): BlockRef | undefined {
  const tip = chainTip(chain)
  if (!tip || chain.finalityDepth === undefined) return undefined
  return canonicalAt(chain, tip.number - chain.finalityDepth)
}

function extend(chain: Chain, blocks: readonly Block[]): ChainMove {
  for (let i = 1; i < blocks.length; i++) {
    const block = blocks[i]!
    const before = blocks[i - 1]!
    if (block.parent.hash !== before.ref.hash || block.ref.number !== before.ref.number + 1n) {
      throw new GapError({
        at: block.ref,
        expected: `parent ${formatRef(before.ref)}`,
        actual: `parent ${formatRef(block.parent)}`,
      })
    }
  }
  // From the newest one down: of a long repetition the oldest blocks may have left the window.
  const firstNew = blocks.findLastIndex((block) => isCanonical(chain, block.ref)) + 1
  if (firstNew === blocks.length) return { chain, undo: [], apply: [] }
  const apply = firstNew === 0 ? blocks : blocks.slice(firstNew)
  const parent = apply[0]!.parent
  if (apply[0]!.ref.number !== parent.number + 1n) {
    throw new GapError({
      at: apply[0]!.ref,
      expected: `number ${parent.number + 1n}`,
      actual: `number ${apply[0]!.ref.number}`,
    })
  }
  const unwound = unwind(chain, parent)
  const refs = unwound.chain.refs.concat(apply.map((block) => block.ref))
  const excess = refs.length - (chain.undoDepth + 1)
  return {
    chain: { ...unwound.chain, refs: excess > WINDOW_SLACK ? refs.slice(excess) : refs },
    undo: unwound.undo,
    apply,
  }
}

/** Undoes everything above `to`, which must be ours. */
function unwind(chain: Chain, to: BlockRef): { chain: Chain; undo: readonly BlockRef[] } {
  const tip = chainTip(chain)
  if (!tip) {
    throw new GapError({ at: to, expected: 'a resume before the first block', actual: formatRef(to) })
  }
  if (to.hash === tip.hash) return { chain, undo: [] }
  const position = Number(to.number - chain.refs[0]!.number)
  const ours = position < 0 ? undefined : chain.refs[position]
  if (!ours && position >= 0) {
    throw new GapError({
      at: to,
      expected: `a block at or below our tip ${formatRef(tip)}`,
      actual: formatRef(to),
    })
  }
  // Only the last `undoDepth` blocks have their undo; the window may hold a few more.
  const undoFloor = tip.number - BigInt(Math.min(chain.undoDepth, chain.refs.length - 1))
  if (to.number < undoFloor) {
    throw new ReorgTooDeepError({ ancestor: to, tip, floor: undoFloor, limit: 'undo' })
  }
  if (ours!.hash !== to.hash) {
    throw new GapError({ at: to, expected: `our block ${formatRef(ours)}`, actual: formatRef(to) })
  }
  if (chain.finalized && to.number < chain.finalized.number) {
    throw new ReorgTooDeepError({ ancestor: to, tip, floor: chain.finalized.number, limit: 'finalized' })
  }
  return {
    chain: { ...chain, refs: chain.refs.slice(0, position + 1) },
    undo: chain.refs.slice(position + 1).reverse(),
  }
}
