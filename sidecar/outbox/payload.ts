import type { VectorEntry } from '#vector'

/** Outbox payloads are the vector store's own entries, and rest as JSON; a bigint is written as `{"n":"123"}`, the one object with only that key. */
export function encodePayload(entry: VectorEntry): Uint8Array {
  return Buffer.from(
    JSON.stringify(entry, (_key, value) =>
      typeof value === 'bigint' ? { n: value.toString() } : (value as unknown),
    ),
  )
}

/** @throws SyntaxError when the bytes are not what `encodePayload` wrote: the store is damaged */
export function decodePayload(bytes: Uint8Array): VectorEntry {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()
  return JSON.parse(text, (_key, value) =>
    isBigint(value) ? BigInt(value.n) : (value as unknown),
  ) as VectorEntry
}

function isBigint(value: unknown): value is { n: string } {
  return typeof value === 'object' && value !== null && 'n' in value && Object.keys(value).length === 1
}
