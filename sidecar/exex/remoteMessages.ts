import type { Uint64 } from './schema.ts'

// What protobufjs makes of `remote.proto`'s messages.

export type RemoteNotification = {
  readonly chainCommitted?: { readonly new: RemoteChain } | null
  readonly chainReorged?: { readonly old: RemoteChain; readonly new: RemoteChain } | null
  readonly chainReverted?: { readonly old: RemoteChain } | null
}
export type RemoteChain = {
  readonly blocks: readonly RemoteBlock[]
  readonly executionOutcome?: {
    readonly receipts: readonly { readonly receipts: readonly RemoteReceipt[] }[]
    readonly firstBlock: Uint64
  } | null
}
export type RemoteBlock = {
  readonly header: { readonly hash: Uint8Array; readonly header: RemoteHeader }
  readonly body: readonly RemoteTransaction[]
  readonly senders: readonly Uint8Array[]
}
export type RemoteHeader = {
  readonly parentHash: Uint8Array
  readonly number: Uint64
  readonly gasLimit: Uint64
  readonly gasUsed: Uint64
  readonly timestamp: Uint64
  readonly baseFeePerGas?: Uint64 | null
}
export type RemoteTransactionFields = {
  readonly nonce: Uint64
  readonly gasPrice?: Uint8Array
  readonly maxFeePerGas?: Uint8Array
  readonly gasLimit: Uint8Array
  /** An address, where the type cannot create a contract. */
  readonly to: Uint8Array | { readonly create?: object | null; readonly call?: Uint8Array | null } | null
  readonly value: Uint8Array
  readonly input: Uint8Array
}
/** The oneof's members, by EIP-2718 type. */
export const remoteTypes = ['legacy', 'eip2930', 'eip1559', 'eip4844', 'eip7702'] as const
export type RemoteTransaction = { readonly hash: Uint8Array } & {
  readonly [name in (typeof remoteTypes)[number]]?: RemoteTransactionFields | null
}
export type RemoteReceipt = {
  readonly nonEmpty?: {
    readonly success: boolean
    readonly cumulativeGasUsed: Uint64
    readonly logs: readonly {
      readonly address: Uint8Array
      readonly data: { readonly topics: readonly Uint8Array[]; readonly data: Uint8Array }
    }[]
  } | null
}
