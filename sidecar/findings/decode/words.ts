import type { Address, Hash } from 'viem'
import type { ChainLog } from './readLogs.ts'

/** The 20 bytes at an offset, as an address. */
export function addressAt(bytes: Buffer, offset: number): Address {
  return `0x${bytes.toString('hex', offset, offset + 20)}`
}

/** The 32 bytes at an offset, as hex. */
export function hashAt(bytes: Buffer, offset: number): Hash {
  return `0x${bytes.toString('hex', offset, offset + 32)}`
}

/** The 32-byte word at an offset, as an unsigned number. */
export function uintAt(bytes: Buffer, offset: number): bigint {
  const high = (bytes.readBigUInt64BE(offset) << 64n) | bytes.readBigUInt64BE(offset + 8)
  const low = (bytes.readBigUInt64BE(offset + 16) << 64n) | bytes.readBigUInt64BE(offset + 24)
  return high === 0n ? low : (high << 128n) | low
}

/** The 32-byte word at an offset, as a two's complement number. */
export function intAt(bytes: Buffer, offset: number): bigint {
  return BigInt.asIntN(256, uintAt(bytes, offset))
}

/** Where the 20 bytes of an address are in a 32-byte word; undefined where the word is no address. */
export function addressInWord(bytes: Buffer, offset: number): number | undefined {
  for (let i = 0; i < 12; i++) if (bytes[offset + i] !== 0) return undefined
  return offset + 12
}

/** The address in a 32-byte word, or undefined. */
export function addressWordAt(bytes: Buffer, offset: number): Address | undefined {
  const at = addressInWord(bytes, offset)
  return at === undefined ? undefined : addressAt(bytes, at)
}

/** Where a topic of a log is; 0 is the event's own. */
export const topicAt = (log: ChainLog, index: number): number => log.topics + 32 * index

/** Where a word of a log's data is. */
export const wordAt = (log: ChainLog, index: number): number => log.data + 32 * index
