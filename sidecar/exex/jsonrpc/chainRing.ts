import type { Hash } from 'viem'
import type { BlockRef } from '../../notification/types.ts'

/**
 * The newest blocks of the canonical chain, by reference, without a hole: what undo lists are made of. Holds the tip
 * and at most `depth` blocks below it. Never changes: a new one takes its place, and only when all went well.
 */
export type ChainRing = {
  readonly tip: BlockRef
  /** The lowest block an undo can go back to. */
  readonly oldest: BlockRef
  /** Blocks missing below to reach the full depth: after an undo the ring is shorter than it may be. */
  readonly missing: { readonly from: bigint; readonly to: bigint } | undefined
  /** The block at a height; undefined outside the ring. */
  at(number: bigint): BlockRef | undefined
  has(number: bigint, hash: Hash): boolean
  /** Everything above a block of the ring, oldest first. */
  above(number: bigint): readonly BlockRef[]
  /** Without everything above block `number` of the ring, then with `blocks`, oldest first. */
  replaced(number: bigint, blocks: readonly BlockRef[]): ChainRing
  /** With blocks right below the oldest, oldest first. */
  refilled(blocks: readonly BlockRef[]): ChainRing
}

/** From consecutive blocks, oldest first, at least one. Throws `RangeError` for a hole, here and in what is made of it. */
export function createChainRing(blocks: readonly BlockRef[], depth: number): ChainRing {
  const refs = blocks.slice(-depth - 1)
  const oldest = refs[0]
  const tip = refs.at(-1)
  if (oldest === undefined || tip === undefined) throw new RangeError('a ring holds at least one block')
  for (const [index, { number }] of refs.entries())
    if (number !== oldest.number + BigInt(index))
      throw new RangeError(`block ${number} stands where block ${oldest.number + BigInt(index)} belongs`)

  const lowest = tip.number > BigInt(depth) ? tip.number - BigInt(depth) : 0n
  const at = (number: bigint) => (number < oldest.number ? undefined : refs[Number(number - oldest.number)])
  const upTo = (number: bigint) => {
    if (at(number) === undefined)
      throw new RangeError(`block ${number} is not in the ring of blocks ${oldest.number} to ${tip.number}`)
    return Number(number - oldest.number) + 1
  }
  return {
    tip,
    oldest,
    missing: lowest < oldest.number ? { from: lowest, to: oldest.number - 1n } : undefined,
    at,
    has: (number, hash) => at(number)?.hash === hash,
    above: (number) => refs.slice(upTo(number)),
    replaced: (number, added) => createChainRing([...refs.slice(0, upTo(number)), ...added], depth),
    refilled: (below) => createChainRing([...below, ...refs], depth),
  }
}
