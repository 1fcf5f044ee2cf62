import type { Hash } from 'viem'
import type { LatencySummary } from './latency.ts'
import type { BlockRef } from './notification/types.ts'

/** A block reference in JSON: numbers of blocks fit a double for longer than the chain will live. */
export type RefJson = { readonly number: number; readonly hash: Hash }

/**
 * What `/status` answers and what `devnet`, `attach --blocks` and `replay` print at the end. `blocks`, `transactions`,
 * `routes` and `svm` are of the canonical chain, net of what was undone; `reorgs` and `blocksReverted` are gross.
 */
export type Status = {
  readonly blocks: number
  readonly transactions: number
  readonly routes: { readonly executeOnSvm: number; readonly executeOnEvm: number; readonly skip: number }
  readonly svm: {
    readonly executed: number
    readonly failed: number
    readonly rejected: number
    readonly deposits: number
    readonly accounts: number
    readonly latticeHash: string
  }
  readonly decisionsHash: string
  readonly reorgs: number
  readonly blocksReverted: number
  /** The tip applied in memory. */
  readonly head: RefJson | null
  readonly durable: RefJson | null
  readonly finalized: RefJson | null
  readonly finishedHeight: RefJson | null
  readonly seconds: number
  readonly transactionsPerSecond: number
  /** From a notification received whole to the acknowledgement of its durable blocks. */
  readonly latencyMs: LatencySummary
  readonly cache: { readonly hits: number; readonly misses: number }
  readonly rssBytes: number
}

export const toRefJson = (ref: BlockRef | undefined): RefJson | null =>
  ref ? { number: Number(ref.number), hash: ref.hash } : null

export const toHex = (bytes: Uint8Array): `0x${string}` => `0x${Buffer.from(bytes).toString('hex')}`
