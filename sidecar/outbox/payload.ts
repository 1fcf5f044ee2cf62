import type { PatternProfile, TransactionRow } from '#vector'
import type { BlockRef } from '../notification/types.ts'

/** What an outbox entry holds, by its kind: the vector store's own entries (`VectorStore.apply`). */
export type OutboxPayload =
  | { readonly kind: 'transactions'; readonly block: BlockRef; readonly rows: readonly TransactionRow[] }
  | {
      readonly kind: 'patterns'
      readonly boundary: bigint
      readonly upsert: readonly PatternProfile[]
      readonly remove: readonly string[]
    }
  | {
      readonly kind: 'undo'
      readonly blocks: readonly BlockRef[]
      readonly patterns:
        | { readonly upsert: readonly PatternProfile[]; readonly remove: readonly string[] }
        | undefined
    }
  | { readonly kind: 'finalized'; readonly number: bigint }

/** Payloads rest as JSON; a bigint is written as `{"n":"123"}`, the one object with only that key. */
export function encodePayload(payload: OutboxPayload): Uint8Array {
  return Buffer.from(
    JSON.stringify(payload, (_key, value) =>
      typeof value === 'bigint' ? { n: value.toString() } : (value as unknown),
    ),
  )
}

/** @throws SyntaxError when the bytes are not what `encodePayload` wrote: the store is damaged */
export function decodePayload(bytes: Uint8Array): OutboxPayload {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()
  return JSON.parse(text, (_key, value) => (isBigint(value) ? BigInt(value.n) : (value as unknown))) as OutboxPayload
}

function isBigint(value: unknown): value is { n: string } {
  return typeof value === 'object' && value !== null && 'n' in value && Object.keys(value).length === 1
}
