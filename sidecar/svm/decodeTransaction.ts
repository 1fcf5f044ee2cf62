import { readCompactU16 } from './compactU16.ts'
import type { RejectReason, SolanaTransaction } from './types.ts'

/** What fits one IPv6 packet: Solana's own limit for a wire transaction. */
export const MAX_TRANSACTION_BYTES = 1232

/**
 * Reads one Solana wire transaction, legacy or version 0, to its last byte. What it returns is well formed as
 * Solana's own sanitising has it (header, indexes, no key twice), so the SVM never sees bytes it cannot read.
 * Nothing is copied and nothing thrown.
 */
export function decodeTransaction(
  bytes: Uint8Array,
): SolanaTransaction | { readonly rejected: RejectReason } {
  if (bytes.length === 0) return { rejected: 'empty' }
  if (bytes.length > MAX_TRANSACTION_BYTES) return { rejected: 'too large' }
  const reader: Reader = { bytes, offset: 0, problem: undefined }

  const signatures = takeMany(reader, takeCount(reader), 64)
  const messageStart = reader.offset
  const prefix = bytes[messageStart]
  if (reader.problem !== undefined || prefix === undefined) return { rejected: reader.problem ?? 'truncated' }
  if (prefix > 0x80) return { rejected: 'unknown version' }
  const version = prefix === 0x80 ? 0 : 'legacy'
  if (version === 0) reader.offset++

  const required = takeByte(reader)
  const readonlySigned = takeByte(reader)
  const readonlyUnsigned = takeByte(reader)
  const accountKeys = takeMany(reader, takeCount(reader), 32)
  const recentBlockhash = take(reader, 32)
  const instructionCount = takeCount(reader)
  const programIndexes: number[] = []
  const data: Uint8Array[] = []
  let highestIndex = 0
  for (let index = 0; index < instructionCount && reader.problem === undefined; index++) {
    const programIndex = takeByte(reader)
    for (const account of take(reader, takeCount(reader))) highestIndex = Math.max(highestIndex, account)
    programIndexes.push(programIndex)
    data.push(take(reader, takeCount(reader)))
  }
  if (reader.problem !== undefined) return { rejected: reader.problem }
  if (version === 0) {
    // Lookup tables are accounts: what a transaction touches would depend on state, so it is refused by form.
    const lookups = takeCount(reader)
    if (reader.problem !== undefined) return { rejected: reader.problem }
    if (lookups > 0) return { rejected: 'address lookup table' }
  }
  if (reader.offset !== bytes.length) return { rejected: 'trailing bytes' }

  const keys = accountKeys.length
  const wellFormed =
    required === signatures.length &&
    required > 0 &&
    readonlySigned < required &&
    required + readonlyUnsigned <= keys &&
    highestIndex < keys &&
    // The fee payer cannot be called.
    programIndexes.every((index) => index > 0 && index < keys) &&
    !hasDuplicates(bytes, accountKeys)
  if (!wellFormed) return { rejected: 'malformed' }
  return {
    bytes,
    message: bytes.subarray(messageStart),
    version,
    signatures,
    accountKeys,
    writableKeys: accountKeys.filter((_, index) =>
      index < required ? index < required - readonlySigned : index < keys - readonlyUnsigned,
    ),
    recentBlockhash,
    instructions: programIndexes.map((programIndex, index) => ({
      programId: accountKeys[programIndex]!,
      data: data[index]!,
    })),
  }
}

/** A position in the bytes. The first problem stays; every read after it gives nothing. */
type Reader = { readonly bytes: Uint8Array; offset: number; problem: RejectReason | undefined }

const nothing = new Uint8Array(0)

function takeByte(reader: Reader): number {
  const byte = reader.bytes[reader.offset]
  if (byte === undefined) {
    reader.problem ??= 'truncated'
    return 0
  }
  reader.offset++
  return byte
}

function takeCount(reader: Reader): number {
  if (reader.problem !== undefined) return 0
  const read = readCompactU16(reader.bytes, reader.offset)
  if (read < 0) {
    reader.problem = read === -1 ? 'truncated' : 'malformed'
    return 0
  }
  reader.offset += read & 3
  return read >>> 2
}

function take(reader: Reader, length: number): Uint8Array {
  const end = reader.offset + length
  if (reader.problem !== undefined || end > reader.bytes.length) {
    reader.problem ??= 'truncated'
    return nothing
  }
  const taken = reader.bytes.subarray(reader.offset, end)
  reader.offset = end
  return taken
}

function takeMany(reader: Reader, count: number, length: number): Uint8Array[] {
  const taken: Uint8Array[] = []
  for (let index = 0; index < count && reader.problem === undefined; index++) taken.push(take(reader, length))
  return taken
}

/** At most 37 keys fit a packet, so comparing pairs beats building a set. */
function hasDuplicates(bytes: Uint8Array, keys: readonly Uint8Array[]): boolean {
  for (let left = 0; left < keys.length; left++) {
    const a = keys[left]!.byteOffset - bytes.byteOffset
    for (let right = left + 1; right < keys.length; right++) {
      const b = keys[right]!.byteOffset - bytes.byteOffset
      let index = 0
      while (index < 32 && bytes[a + index] === bytes[b + index]) index++
      if (index === 32) return true
    }
  }
  return false
}
