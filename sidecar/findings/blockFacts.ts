import type { Address, Hash } from 'viem'

/** Percentiles 10, 25, 50, 75 and 90, in wei, by nearest rank. */
export type Percentiles = readonly [bigint, bigint, bigint, bigint, bigint]

/** What a block paid for its room. */
export type FeeFacts = {
  /** Unix seconds. */
  readonly timestamp: bigint
  readonly gasLimit: bigint
  readonly gasUsed: bigint
  /** Undefined before London. */
  readonly baseFeePerGas: bigint | undefined
  readonly transactions: number
  readonly failed: number
  /**
   * What transactions that name one gas price paid above the base fee: exact. Undefined where there are none.
   */
  readonly tips: { readonly count: number; readonly percentiles: Percentiles } | undefined
  /** What the others would have paid above the base fee at most: the stream does not carry their priority fee. */
  readonly ceilings: { readonly count: number; readonly percentiles: Percentiles } | undefined
}

/** Calls of one pattern that failed. */
export type FailureCount = {
  readonly to: Address
  readonly selector: `0x${string}`
  readonly failed: number
}

/** Equal calls of one sender: the first 8 bytes of a digest of what is equal in them, as hex. */
export type RepeatCount = { readonly key: string; readonly count: number }

/** What is remembered of a block, so that later ones can be compared with it. Bounded, whatever the block holds. */
export type BlockFacts = {
  readonly number: bigint
  readonly hash: Hash
  readonly fees: FeeFacts
  readonly failures: readonly FailureCount[]
  readonly repeats: readonly RepeatCount[]
  /** Payments that their payers signed: see `PAYMENT_BYTES`. */
  readonly payments: Uint8Array
}

/** Entries of each list kept of a block, those of the earliest transactions first. */
export const MAX_FAILURES = 256
export const MAX_REPEATS = 256
