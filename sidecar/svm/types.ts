import type { StateWrite } from '../notification/stateWrite.ts'
import type { Block, BlockRef } from '../notification/types.ts'

/** Why an envelope, or one transaction of it, was not run. A closed list: it is stored, counted and shown. */
export const rejectReasons = [
  'empty',
  'unknown encoding',
  'truncated',
  'trailing bytes',
  'too large',
  'malformed',
  'unknown version',
  'address lookup table',
  'bad signature',
  'stale blockhash',
  'duplicate',
  'durable nonce',
  'program deployment',
  'denied program',
  'missing public key',
] as const
export type RejectReason = (typeof rejectReasons)[number]

/** One Solana transaction as found in an envelope: bytes checked for form, nothing run yet. */
export type SolanaTransaction = {
  /** The whole wire transaction, and its message inside it. Views on the block's input column. */
  readonly bytes: Uint8Array
  readonly message: Uint8Array
  readonly version: 'legacy' | 0
  /** 64 bytes each; the first one names the transaction. */
  readonly signatures: readonly Uint8Array[]
  /** 32 bytes each, static keys in message order; the first `signatures.length` signed. */
  readonly accountKeys: readonly Uint8Array[]
  readonly writableKeys: readonly Uint8Array[]
  readonly recentBlockhash: Uint8Array
  readonly instructions: readonly { readonly programId: Uint8Array; readonly data: Uint8Array }[]
}

/** What the calldata of a successful call to the router address holds (design: the first payload byte decides). */
export type Envelope = {
  /** Bytes after the `SVM` prefix. */
  readonly payloadBytes: number
  /** The part of the call's value that no lamports stand for, in wei: all of it unless this is a deposit. */
  readonly unspentWei: bigint
} & (
  | { readonly kind: 'transactions'; readonly items: readonly EnvelopeItem[] }
  | { readonly kind: 'deposit'; readonly pubkey: Uint8Array; readonly lamports: bigint }
  | { readonly kind: 'rejected'; readonly reason: RejectReason }
)
export type EnvelopeItem = SolanaTransaction | { readonly rejected: RejectReason }

/** The outcome of one envelope item. `item` is its position in a batch, 0 for all others. */
export type SvmResult = {
  readonly transactionIndex: number
  readonly item: number
  readonly status: 'executed' | 'failed' | 'rejected' | 'deposited'
  /** A `RejectReason` when rejected, the SVM's own error when failed. */
  readonly reason: string | undefined
  readonly signature: Uint8Array | undefined
  readonly computeUnits: number
}

/** Everything one block did to the SVM. */
export type SvmOutcome = {
  readonly results: readonly SvmResult[]
  /** Tables `account` and `svm`, each key at most once. */
  readonly writes: readonly StateWrite[]
  /** The first signature (64 bytes) of what executed or failed with a fee: each runs at most once on a chain. */
  readonly signatures: readonly Uint8Array[]
  /** Checksum (32 bytes) of the accounts lattice hash after the block. */
  readonly latticeHash: Uint8Array
  /** Accounts that exist after the block. */
  readonly accounts: number
  readonly unspentWei: bigint
}

export type SvmAccount = {
  readonly lamports: bigint
  readonly owner: Uint8Array
  readonly executable: boolean
  readonly rentEpoch: bigint
  readonly data: Uint8Array
}

/** What the executor takes back at start: its own tables, and the signatures and hashes of recent canonical blocks. */
export type SvmState = {
  readonly rows: (
    table: 'account' | 'svm',
  ) => Iterable<{ readonly key: Uint8Array; readonly value: Uint8Array }>
  /**
   * Canonical blocks, oldest first: at least the last 150 and the kept undo, where there are as many, so that the
   * window of 150 is still whole after the deepest undo. The signatures below must reach back as far.
   */
  readonly recentBlocks: readonly BlockRef[]
  readonly signatures: Iterable<{ readonly signature: Uint8Array; readonly block: bigint }>
}

/** A Solana VM that follows the chain. One call at a time; blocks in chain order. */
export interface SvmExecutor {
  readonly name: string
  /** False for a real cluster: what it ran cannot be taken back, so it must only be given finalized blocks. */
  readonly reversible: boolean
  /**
   * Runs the admitted envelopes of a block in order. No bad transaction throws: it is a `rejected` result.
   * @param envelopes by transaction index, as `readEnvelopes` returned them, those refused by the router included
   * @param admitted indexes the router decided to run, ascending; other envelopes get no run, and a result only
   *   where the envelope itself (or an item of it) was rejected
   */
  execute(
    block: Block,
    envelopes: ReadonlyMap<number, Envelope>,
    admitted: readonly number[],
  ): Promise<SvmOutcome>
  /** Puts back pre-images of undone blocks (newest block first, writes of a block in reverse); `tip` is the new tip. */
  undo(
    undone: readonly { readonly block: BlockRef; readonly writes: readonly StateWrite[] }[],
    tip: BlockRef,
  ): void
  account(pubkey: Uint8Array): SvmAccount | undefined
  close(): void
}
