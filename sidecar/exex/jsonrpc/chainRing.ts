import type { Hash } from 'viem'
import type { BlockRef } from '../../notification/types.ts'

/**
 * The newest blocks of the canonical chain, by reference, without a hole: what undo lists are made of. Holds the tip
 * and at most `depth` blocks below it.
 */
export type ChainRing = {
  tip(): BlockRef
  /** The lowest block an undo can go back to. */
  oldest(): BlockRef
  /** The block at a height; undefined outside the ring. */
  at(number: bigint): BlockRef | undefined
  has(number: bigint, hash: Hash): boolean
  /** Everything above a block of the ring, oldest first. */
  above(number: bigint): readonly BlockRef[]
  /** Drops everything above `number`, then adds `blocks`, oldest first. */
  replace(number: bigint, blocks: readonly BlockRef[]): void
  /** Blocks missing below to reach the full depth: after an undo the ring is shorter than it may be. */
  missing(): { readonly from: bigint; readonly to: bigint } | undefined
  /** Adds blocks right below the oldest, oldest first. */
  refill(blocks: readonly BlockRef[]): void
}

/** Starts from consecutive blocks, oldest first, at least one. Throws `RangeError` for a hole, here and later. */
export function createChainRing(start: readonly BlockRef[], depth: number): ChainRing {
  let refs: BlockRef[] = []
  const first = () => refs[0]!.number
  const at = (number: bigint) => (number < first() ? undefined : refs[Number(number - first())])

  const append = (blocks: readonly BlockRef[]) => {
    for (const block of blocks) {
      const previous = refs.at(-1)
      if (previous !== undefined && block.number !== previous.number + 1n)
        throw new RangeError(`block ${block.number} cannot follow block ${previous.number}`)
      refs.push(block)
    }
    if (refs.length > depth + 1) refs = refs.slice(refs.length - depth - 1)
  }

  append(start)
  return {
    tip: () => refs.at(-1)!,
    oldest: () => refs[0]!,
    at,
    has: (number, hash) => at(number)?.hash === hash,
    above: (number) => refs.slice(Number(number - first()) + 1),
    replace: (number, blocks) => {
      if (at(number) === undefined)
        throw new RangeError(`block ${number} is not in the ring from ${first()} on`)
      refs = refs.slice(0, Number(number - first()) + 1)
      append(blocks)
    },
    missing: () => {
      const wanted = refs.at(-1)!.number - BigInt(depth)
      const from = wanted > 0n ? wanted : 0n
      return from < first() ? { from, to: first() - 1n } : undefined
    },
    refill: (blocks) => {
      const kept = refs
      refs = []
      append([...blocks, ...kept])
    },
  }
}
