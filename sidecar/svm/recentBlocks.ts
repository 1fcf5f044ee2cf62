import type { BlockRef } from '../notification/types.ts'
import { ChainOrderError } from './errors.ts'
import { keyOf } from './keyOf.ts'

/** How many block hashes back a transaction may name: Solana's own limit for recent blockhashes. */
export const BLOCKHASH_WINDOW = 150

/** What the chain remembers against replays: block hashes by number, and which signatures ran in which block. */
export type RecentBlocks = {
  /** The last block taken in; undefined before the first. */
  readonly tip: () => BlockRef | undefined
  /** Is this (32 bytes as `keyOf` gives them) the hash of one of the blocks `number - 150` to `number - 1`? */
  readonly isRecent: (hashKey: string, number: bigint) => boolean
  /** Did this signature run in a block that is remembered? */
  readonly hasRun: (signatureKey: string) => boolean
  readonly markRun: (signatureKey: string) => void
  /** Closes a block: what was marked since the last call ran in it. */
  readonly append: (block: BlockRef) => void
  /** Forgets blocks above `tip`, and what ran in them. Throws `ChainOrderError` when `tip` is not what remains. */
  readonly undoTo: (tip: BlockRef) => void
}

export type RecentBlocksOptions = {
  /** Blocks that may be undone at once. They are remembered beyond the window, so it is whole after an undo. */
  readonly undoDepth: number
}

type Entry = { readonly ref: BlockRef; readonly hashKey: string; readonly signatureKeys: string[] }

/**
 * @param stored canonical blocks, oldest first, and signatures with the block they ran in
 */
export function createRecentBlocks(
  { undoDepth }: RecentBlocksOptions,
  stored: {
    readonly blocks: readonly BlockRef[]
    readonly signatures: Iterable<{ readonly signature: Uint8Array; readonly block: bigint }>
  },
): RecentBlocks {
  const kept = BLOCKHASH_WINDOW + undoDepth
  const entries: Entry[] = []
  const numbers = new Map<string, bigint>()
  const ran = new Set<string>()
  let marked: string[] = []

  const append = (ref: BlockRef): void => {
    const entry = { ref, hashKey: hashKeyOf(ref), signatureKeys: marked }
    marked = []
    entries.push(entry)
    numbers.set(entry.hashKey, ref.number)
    while (entries.length > kept) forget(entries.shift())
  }
  const forget = (entry: Entry | undefined): void => {
    if (entry === undefined) return
    numbers.delete(entry.hashKey)
    for (const key of entry.signatureKeys) ran.delete(key)
  }

  for (const block of stored.blocks) append(block)
  const byNumber = new Map(entries.map((entry) => [entry.ref.number, entry]))
  for (const { signature, block } of stored.signatures) {
    const entry = byNumber.get(block)
    if (entry === undefined) continue
    const key = keyOf(signature)
    entry.signatureKeys.push(key)
    ran.add(key)
  }

  return {
    tip: () => entries.at(-1)?.ref,
    isRecent(hashKey, number) {
      const at = numbers.get(hashKey)
      return at !== undefined && at < number && at >= number - BigInt(BLOCKHASH_WINDOW)
    },
    hasRun: (key) => ran.has(key),
    markRun(key) {
      ran.add(key)
      marked.push(key)
    },
    append,
    undoTo(tip) {
      while (entries.length > 0 && entries.at(-1)!.ref.number > tip.number) forget(entries.pop())
      const remains = entries.at(-1)?.ref
      if (remains !== undefined && (remains.number !== tip.number || remains.hash !== tip.hash)) {
        throw new ChainOrderError({
          at: 'undo',
          expected: `${remains.number} ${remains.hash}`,
          got: `${tip.number} ${tip.hash}`,
        })
      }
    },
  }
}

const hashKeyOf = (ref: BlockRef): string => Buffer.from(ref.hash.slice(2), 'hex').toString('latin1')
