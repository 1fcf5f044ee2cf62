import { join } from 'node:path'
import protobuf from 'protobufjs'

/** Where the contract is, for tools that want the file itself (reflection, other languages). */
export const exExProtoFile = join(import.meta.dirname, 'exex.proto')
export const remoteProtoFile = join(import.meta.dirname, 'remote.proto')

/** The messages of `exex.proto` by name, read once at start. protobufjs generates each codec on first use. */
export const exExSchema = protobuf.loadSync(exExProtoFile)

/** 64-bit numbers as protobufjs has them: a Long, or a number where the `long` package is not there. */
export type Uint64 = protobuf.Long | number

export function bigintOf(value: Uint64): bigint {
  if (typeof value === 'number') return BigInt(value)
  const low = value.low >>> 0
  // Nearly every number on the wire is below 2^53: one BigInt instead of four.
  if (value.high >= 0 && value.high < 0x20_0000) return BigInt(value.high * 0x1_0000_0000 + low)
  return (BigInt(value.high >>> 0) << 32n) | BigInt(low)
}

/** What protobufjs writes as 64 bits. */
export function uint64Of(value: bigint): number | { low: number; high: number; unsigned: true } {
  if (value <= Number.MAX_SAFE_INTEGER) return Number(value)
  return {
    low: Number(BigInt.asIntN(32, value)),
    high: Number(BigInt.asIntN(32, value >> 32n)),
    unsigned: true,
  }
}
