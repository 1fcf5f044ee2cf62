import type { Hash } from 'viem'

/** The 32 bytes of a block hash. */
export function hashToBytes(hash: Hash): Buffer {
  return Buffer.from(hash.slice(2), 'hex')
}

/** The block hash of 32 stored bytes. */
export function bytesToHash(bytes: Uint8Array): Hash {
  return `0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')}`
}
