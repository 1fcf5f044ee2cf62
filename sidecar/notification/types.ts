import type { Hash } from 'viem'

/** Truth about a position in the chain is the pair, never the number alone. */
export type BlockRef = { readonly number: bigint; readonly hash: Hash }

/** What the EVM said of a transaction. `unknown` where the source had no receipt: never counted as success. */
export const EvmStatus = { failed: 0, succeeded: 1, unknown: 2 } as const

/** Set in `kinds` beside the EIP-2718 type when the transaction creates a contract (`to` is then zeros). */
export const CONTRACT_CREATION = 0x80

/**
 * The transactions of one block, as columns: row `i` of every column is transaction `i`.
 * Byte columns are views on the received frame; whoever keeps one for long copies it.
 */
export type TransactionColumns = {
  readonly count: number
  /** 32 bytes a row. */
  readonly hashes: Uint8Array
  /** 20 bytes a row: recovered sender. */
  readonly senders: Uint8Array
  /** 20 bytes a row; zeros for a contract creation. */
  readonly to: Uint8Array
  /** 1 byte a row: EIP-2718 type (0 to 0x7f), or-ed with `CONTRACT_CREATION`. */
  readonly kinds: Uint8Array
  /** 1 byte a row: one of `EvmStatus`. */
  readonly statuses: Uint8Array
  /** 4 bytes a row: the first four bytes of the input, zero-padded on the right. */
  readonly selectors: Uint8Array
  /** 32 bytes a row, big-endian: value in wei. */
  readonly values: Uint8Array
  /** 8 bytes a row, little-endian. */
  readonly nonces: Uint8Array
  /** Gas limit, saturated at 2^32 - 1. */
  readonly gasLimits: Uint32Array
  /** Gas used, saturated at 2^32 - 1; 0 where there is no receipt. Known only after execution: never a feature. */
  readonly gasUsed: Uint32Array
  /** 8 bytes a row, little-endian: max fee per gas (gas price for legacy types) in wei, saturated at 2^64 - 1. */
  readonly gasPrices: Uint8Array
  /** End of row `i`'s input inside `inputs`; it starts where row `i - 1` ends. */
  readonly inputEnds: Uint32Array
  readonly inputs: Uint8Array
  /** End of row `i`'s logs inside `logs`; all zeros when the stream carries none. Known only after execution. */
  readonly logEnds: Uint32Array
  /** Each log: 20 bytes address, 1 byte topic count, 32 bytes a topic, u32 LE data length, data. */
  readonly logs: Uint8Array
}

/** One block as the pipeline sees it. */
export type Block = {
  readonly ref: BlockRef
  readonly parent: BlockRef
  /** Unix seconds. */
  readonly timestamp: bigint
  readonly gasLimit: bigint
  readonly gasUsed: bigint
  /** wei; undefined before London. */
  readonly baseFeePerGas: bigint | undefined
  /** Where a recorded block came from when it was re-chained (`mainnet:18090205`), else undefined. */
  readonly origin: string | undefined
  readonly transactions: TransactionColumns
}

/** Facts that come with every notification. */
export type NotificationFacts = {
  /** Random per start of the server: with `sequence` it detects loss and duplicates, and is never used to resume. */
  readonly epoch: string
  /** +1 per notification within an epoch. */
  readonly sequence: bigint
  /** The node's own view when it was sent. */
  readonly head: BlockRef
  readonly safe: BlockRef | undefined
  readonly finalized: BlockRef | undefined
  readonly source: 'live' | 'catchUp'
  /** Unix milliseconds (fractional): when the server had it from the node, and when the client had it whole. */
  readonly nodeTimeMs: number
  readonly receivedTimeMs: number
  /** Size on the wire: what its credit is counted in. */
  readonly bytes: number
}

/** A change of the canonical chain. Undone blocks come by reference, oldest first, as the node names them. */
export type Notification = NotificationFacts &
  (
    | { readonly kind: 'committed'; readonly blocks: readonly Block[] }
    | { readonly kind: 'reorged'; readonly undo: readonly BlockRef[]; readonly blocks: readonly Block[] }
    | { readonly kind: 'reverted'; readonly undo: readonly BlockRef[]; readonly parent: BlockRef }
  )
