import type { Address } from 'viem'
import { addressAt } from './decode/words.ts'

// Payments that their payers signed, as records of bytes: they are many, compared often and read out almost never.

/** Payer 20, payee 20, asset 20 (zeros: the chain's own currency), bits of the amount 1. */
export const PAYMENT_BYTES = 61
/** Payments of a block that are kept: those of its first transactions. */
export const MAX_PAYMENTS = 1024
/** Payments of one block with one hash that are kept, so that nobody makes a look-up long. */
const MAX_CHAIN = 8
/** A payment read out. */
export type Payment = {
  readonly payer: Address
  readonly payee: Address
  readonly asset: Address
  /** Bits of the amount, 1 to 256, less one. */
  readonly bits: number
}

/** Bytes somewhere. */
export type Place = { readonly bytes: Uint8Array; readonly at: number }

/** The payments of one block. */
export type BlockPayments = {
  /** All records, one after another. */
  readonly records: Uint8Array
  /** Hashes of all of them, each once. */
  hashes(): Iterable<number>
  /** Whether there is a payment with this hash: nearly always not. */
  holds(hash: number): boolean
  /** The newest payment of a payer to another address that looks like `of`; `hash` is theirs. */
  find(hash: number, payer: Place, of: Place): Payment | undefined
}

/**
 * Two addresses that share the first three and the last four digits look alike where they are shortened; by chance one pair
 * in 268 million does.
 */
function looksLike(a: Uint8Array, at: number, b: Uint8Array, bt: number): boolean {
  return (
    a[at] === b[bt] &&
    a[at + 1]! >>> 4 === b[bt + 1]! >>> 4 &&
    a[at + 18] === b[bt + 18] &&
    a[at + 19] === b[bt + 19]
  )
}

/** Of a payer (`a` at `at`) and a payee: the same for all payees that look alike. Where a payment is looked for. */
export function paymentHash(a: Uint8Array, at: number, b: Uint8Array, bt: number): number {
  let hash = (a[at]! << 24) | (a[at + 1]! << 16) | (a[at + 2]! << 8) | a[at + 3]!
  hash = Math.imul(
    hash ^ ((a[at + 4]! << 24) | (a[at + 5]! << 16) | (a[at + 18]! << 8) | a[at + 19]!),
    0x9e3779b1,
  )
  hash ^= hash >>> 15
  hash = Math.imul(
    hash ^ ((b[bt]! << 24) | ((b[bt + 1]! >>> 4) << 16) | (b[bt + 18]! << 8) | b[bt + 19]!),
    0x85ebca6b,
  )
  return hash ^ (hash >>> 13)
}

/** The payments that the records kept of a block are of. */
export function readPayments(stored: Uint8Array): BlockPayments {
  const payments = createPayments(Buffer.from(stored))
  for (let at = 0; at < stored.length; at += PAYMENT_BYTES) {
    payments.link(paymentHash(stored, at, stored, at + 20))
  }
  return payments
}

/** Room for the payments of a block of so many transactions: each adds one at most. */
export function collectPayments(transactions: number) {
  const records = Buffer.alloc(Math.min(transactions, MAX_PAYMENTS) * PAYMENT_BYTES)
  const payments = createPayments(records)
  return {
    ...payments,
    get records() {
      return records.subarray(0, payments.count() * PAYMENT_BYTES)
    },
    /** Adds one, unless there are enough. */
    add(hash: number, payer: Place, payee: Place, asset: Place | undefined, bits: number): void {
      const at = payments.count() * PAYMENT_BYTES
      if (at === records.length || payments.chainOf(hash) >= MAX_CHAIN) return
      copy(payer, records, at)
      copy(payee, records, at + 20)
      if (asset) copy(asset, records, at + 40)
      records[at + 60] = bits
      payments.link(hash)
    },
  }
}

function copy({ bytes, at }: Place, target: Uint8Array, to: number): void {
  for (let i = 0; i < 20; i++) target[to + i] = bytes[at + i]!
}

function createPayments(records: Buffer) {
  /** The newest record of a hash, and for each record the one before it of the same hash. */
  const newest = new Map<number, number>()
  const before: number[] = []
  return {
    records: records as Uint8Array,
    count: () => before.length,
    hashes: () => newest.keys(),
    holds: (hash: number) => newest.has(hash),
    /** The next record has this hash. */
    link(hash: number): void {
      const record = before.length
      before.push(newest.get(hash) ?? -1)
      newest.set(hash, record)
    },
    chainOf(hash: number): number {
      let chain = 0
      for (let record = newest.get(hash) ?? -1; record >= 0; record = before[record]!) chain++
      return chain
    },
    find(hash: number, payer: Place, of: Place): Payment | undefined {
      for (let record = newest.get(hash) ?? -1; record >= 0; record = before[record]!) {
        const at = record * PAYMENT_BYTES
        if (!isEqual(records, at, payer.bytes, payer.at, 20)) continue
        if (!looksLike(records, at + 20, of.bytes, of.at)) continue
        if (isEqual(records, at + 20, of.bytes, of.at, 20)) continue
        return {
          payer: addressAt(records, at),
          payee: addressAt(records, at + 20),
          asset: addressAt(records, at + 40),
          bits: records[at + 60]!,
        }
      }
      return undefined
    },
  }
}

/** Whether the bytes of two places are equal. */
export function isEqual(a: Uint8Array, at: number, b: Uint8Array, bt: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (a[at + i] !== b[bt + i]) return false
  return true
}

/** Bits of the 256-bit number at a place, less one; -1 for zero. */
export function bitsAt(bytes: Uint8Array, at: number): number {
  for (let i = 0; i < 32; i++) {
    const byte = bytes[at + i]!
    if (byte > 0) return (31 - i) * 8 + 31 - Math.clz32(byte)
  }
  return -1
}
