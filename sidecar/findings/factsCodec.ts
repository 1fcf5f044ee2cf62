import type { Address, Hash } from 'viem'
import type { BlockFacts, FeeFacts, Percentiles } from './blockFacts.ts'
import { PAYMENT_BYTES } from './payments.ts'

// The memory of a block as it rests in the state: little-endian, counted lists, no names. Repeated for every block, so it
// is kept small: about 60 bytes a payment.

const VERSION = 1
const HEAD_BYTES = 1 + 8 + 32
const FEE_BYTES = 8 + 8 + 8 + 1 + 8 + 4 + 4
const SUMMARY_BYTES = 4 + 5 * 8
const FAILURE_BYTES = 20 + 4 + 4
const REPEAT_BYTES = 8 + 4
const MAX_UINT64 = 2n ** 64n - 1n

/** Wei beyond 2^64 - 1 a unit of gas, which nobody pays, is kept as that. */
export function encodeFacts(facts: BlockFacts): Uint8Array {
  const { fees, failures, repeats, payments } = facts
  const size =
    HEAD_BYTES +
    FEE_BYTES +
    2 * SUMMARY_BYTES +
    4 +
    failures.length * FAILURE_BYTES +
    repeats.length * REPEAT_BYTES +
    payments.length
  const bytes = Buffer.alloc(size)
  let at = bytes.writeUInt8(VERSION, 0)
  const uint64 = (value: bigint) => {
    at = bytes.writeBigUInt64LE(value > MAX_UINT64 ? MAX_UINT64 : value, at)
  }
  const uint32 = (value: number) => {
    at = bytes.writeUInt32LE(value, at)
  }
  const hex = (value: string) => {
    at += bytes.write(value.startsWith('0x') ? value.slice(2) : value, at, 'hex')
  }
  const summary = (of: FeeFacts['tips']) => {
    uint32(of?.count ?? 0)
    for (const value of of?.percentiles ?? [0n, 0n, 0n, 0n, 0n]) uint64(value)
  }
  const list = <T>(items: readonly T[], write: (item: T) => void) => {
    at = bytes.writeUInt16LE(items.length, at)
    items.forEach(write)
  }
  uint64(facts.number)
  hex(facts.hash)
  uint64(fees.timestamp)
  uint64(fees.gasLimit)
  uint64(fees.gasUsed)
  at = bytes.writeUInt8(fees.baseFeePerGas === undefined ? 0 : 1, at)
  uint64(fees.baseFeePerGas ?? 0n)
  uint32(fees.transactions)
  uint32(fees.failed)
  summary(fees.tips)
  summary(fees.ceilings)
  list(failures, ({ to, selector, failed }) => {
    hex(to)
    hex(selector)
    uint32(failed)
  })
  list(repeats, ({ key, count }) => {
    hex(key)
    uint32(count)
  })
  // The rest is the payments.
  bytes.set(payments, at)
  return bytes
}

/**
 * Undefined where another release wrote it otherwise.
 * @throws Error when the bytes are not what `encodeFacts` wrote: the store is damaged
 */
export function decodeFacts(stored: Uint8Array): BlockFacts | undefined {
  const bytes = Buffer.from(stored.buffer, stored.byteOffset, stored.length)
  let at = 1
  const take = (length: number) => {
    if (at + length > bytes.length) throw damaged(`at least ${at + length} bytes`, `${bytes.length}`)
    at += length
    return at - length
  }
  if (bytes[0] !== VERSION) return undefined
  const uint64 = () => bytes.readBigUInt64LE(take(8))
  const uint32 = () => bytes.readUInt32LE(take(4))
  const hex = (length: number) => {
    const start = take(length)
    return bytes.toString('hex', start, start + length)
  }
  const address = (): Address => `0x${hex(20)}`
  const summary = (): FeeFacts['tips'] => {
    const count = uint32()
    const percentiles: Percentiles = [uint64(), uint64(), uint64(), uint64(), uint64()]
    return count === 0 ? undefined : { count, percentiles }
  }
  const list = <T>(read: () => T): T[] => Array.from({ length: bytes.readUInt16LE(take(2)) }, read)

  const rest = () => {
    const length = bytes.length - at
    if (length % PAYMENT_BYTES !== 0) throw damaged(`payments of ${PAYMENT_BYTES} bytes`, `${length} bytes`)
    return new Uint8Array(bytes.subarray(at))
  }

  const number = uint64()
  const hash: Hash = `0x${hex(32)}`
  const timestamp = uint64()
  const gasLimit = uint64()
  const gasUsed = uint64()
  const hasBaseFee = bytes.readUInt8(take(1)) === 1
  const baseFee = uint64()
  return {
    number,
    hash,
    fees: {
      timestamp,
      gasLimit,
      gasUsed,
      baseFeePerGas: hasBaseFee ? baseFee : undefined,
      transactions: uint32(),
      failed: uint32(),
      tips: summary(),
      ceilings: summary(),
    },
    failures: list(() => ({ to: address(), selector: `0x${hex(4)}`, failed: uint32() })),
    repeats: list(() => ({ key: hex(8), count: uint32() })),
    // Last: the rest.
    payments: rest(),
  }
}

function damaged(expected: string, actual: string): Error {
  return new Error(
    `memory of a block: expected ${expected}, got ${actual}: the state is damaged. Use a fresh --data-dir, and follow the chain again`,
  )
}
