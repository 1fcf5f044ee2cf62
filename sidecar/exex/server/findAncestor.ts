import type { BlockRef } from '../../notification/types.ts'
import { ExExError, HistoryPrunedError } from '../errors.ts'
import type { HelloFrame } from '../frames.ts'
import type { ChainSource } from './types.ts'

/** The canonical block at a height; the genesis block needs no asking. */
export async function canonicalRef(source: ChainSource, number: bigint): Promise<BlockRef | undefined> {
  return number === 0n ? { number, hash: source.genesisHash } : source.canonicalRef(number)
}

export async function isCanonical(source: ChainSource, ref: BlockRef): Promise<boolean> {
  return (await canonicalRef(source, ref.number))?.hash === ref.hash
}

/**
 * Where a consumer continues: its highest locator entry that is canonical, or the block before `start` when it has none.
 * Throws `ExExError` RESYNC when the chains meet below what the consumer holds for final, or nowhere, and
 * `HistoryPrunedError` when the blocks after the ancestor are gone.
 */
export async function findAncestor(
  source: ChainSource,
  hello: Pick<HelloFrame, 'locator' | 'start' | 'finalized'>,
): Promise<BlockRef> {
  const { head, oldestBlock } = source.heads()
  if (hello.locator.length === 0) return beforeStart(source, hello.start ?? 1n)
  const newestFirst = hello.locator.toSorted((a, b) =>
    a.number < b.number ? 1 : a.number > b.number ? -1 : 0,
  )
  for (const entry of newestFirst) {
    if (entry.number > head.number || !(await isCanonical(source, entry))) continue
    if (hello.finalized !== undefined && entry.number < hello.finalized.number) break
    // The tip itself needs nothing before it; anything lower needs the blocks that follow.
    if (entry.number < head.number && entry.number + 1n < oldestBlock) {
      throw new HistoryPrunedError(entry.number + 1n, oldestBlock)
    }
    return entry
  }
  const lowest = newestFirst.at(-1)!
  throw new ExExError('RESYNC', {
    where: 'hello.locator',
    expected: `one of ${newestFirst.length} blocks down to ${(hello.finalized ?? lowest).number} on the canonical chain`,
    actual: 'none',
    advice:
      'The chain was reorganised below what this consumer holds for final. Check that the node is on the right chain; then ' +
      'start with another --data-dir (or remove this one) to rebuild from it.',
  })
}

async function beforeStart(source: ChainSource, start: bigint): Promise<BlockRef> {
  const { head, oldestBlock } = source.heads()
  if (start < 1n || start > head.number + 1n) {
    throw new ExExError('BAD_REQUEST', {
      where: 'hello.start',
      expected: `1 to ${head.number + 1n}, the block after the head`,
      actual: `${start}`,
    })
  }
  const before = await canonicalRef(source, start - 1n)
  if (start <= head.number && start < oldestBlock) throw new HistoryPrunedError(start, oldestBlock)
  if (before !== undefined) return before
  // The block before the oldest one is known by the oldest one alone.
  for await (const block of source.readBlocks(start, start)) return block.parent
  throw new HistoryPrunedError(start, oldestBlock)
}
