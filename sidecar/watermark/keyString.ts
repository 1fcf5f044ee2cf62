type Latin1Slice = (this: Uint8Array, start: number, end: number) => string

// Node's own primitive under `toString('latin1')`; called on the bytes as they are, it saves a view object a key, which
// is half the cost of staging a write.
const latin1Slice = (Buffer.prototype as unknown as { readonly latin1Slice: Latin1Slice }).latin1Slice

/** A key, or the part of `bytes` that is one, as a string of one character a byte: what maps can be keyed by. */
export function keyString(bytes: Uint8Array, start = 0, end = bytes.length): string {
  return latin1Slice.call(bytes, start, end)
}

/** The bytes of a `keyString`. */
export function keyBytes(key: string): Buffer {
  return Buffer.from(key, 'latin1')
}
