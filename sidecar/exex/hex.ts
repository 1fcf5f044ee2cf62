import type { Hash } from 'viem'
import { WireError } from './errors.ts'

/** A Buffer over the same memory, for its native conversions. */
export const bufferOf = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** The hash in 32 bytes; throws `WireError` naming `field` at any other length. */
export function hashFromBytes(bytes: Uint8Array, field: string): Hash {
  if (bytes.length !== 32) throw new WireError(field, '32 bytes', `${bytes.length}`)
  return `0x${bufferOf(bytes).toString('hex')}`
}

/** The 32 bytes of a hash; throws `WireError` naming `field` for anything that is not one. */
export function bytesFromHash(hash: Hash, field: string): Uint8Array {
  const bytes = Buffer.from(hash.slice(2), 'hex')
  if (bytes.length !== 32 || hash.length !== 66) throw new WireError(field, 'a hash of 32 bytes', hash)
  return bytes
}
