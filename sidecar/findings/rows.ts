import type { Address } from 'viem'
import type { TransactionColumns } from '../notification/types.ts'
import { isEqual } from './payments.ts'
import type { TransactionRef } from './types.ts'

// One row of the columns, in the spelling of a finding.

export function hexOf(column: Uint8Array, offset: number, length: number): `0x${string}` {
  return `0x${Buffer.from(column.buffer, column.byteOffset + offset, length).toString('hex')}`
}

export const senderOf = (columns: TransactionColumns, index: number): Address =>
  hexOf(columns.senders, 20 * index, 20)

/** Zeros for a contract creation. */
export const toOf = (columns: TransactionColumns, index: number): Address => hexOf(columns.to, 20 * index, 20)

export const selectorOf = (columns: TransactionColumns, index: number): `0x${string}` =>
  hexOf(columns.selectors, 4 * index, 4)

export function refOf(columns: TransactionColumns, index: number): TransactionRef {
  return { index, hash: hexOf(columns.hashes, 32 * index, 32) }
}

/** Transactions a finding names, at most. */
const MAX_NAMED = 16

/** The references of ascending indexes, the first 16 of them. */
export function refsOf(columns: TransactionColumns, indexes: readonly number[]): TransactionRef[] {
  return indexes.slice(0, MAX_NAMED).map((index) => refOf(columns, index))
}

/** Where the input of a row starts and how long it is. */
export function inputOf(columns: TransactionColumns, index: number): { start: number; length: number } {
  const start = index === 0 ? 0 : columns.inputEnds[index - 1]!
  return { start, length: columns.inputEnds[index]! - start }
}

/** A row's value in wei where it is below 2^53, else undefined. */
export function smallValueOf({ values }: TransactionColumns, index: number): number | undefined {
  const at = 32 * index
  for (let i = 0; i < 25; i++) if (values[at + i] !== 0) return undefined
  let value = 0
  for (let i = 25; i < 32; i++) value = value * 256 + values[at + i]!
  return value <= Number.MAX_SAFE_INTEGER ? value : undefined
}

/** The rows of each sender that has more than one, ascending; senders in the order of their second row. */
export type RepeatedSenders = readonly (readonly number[])[]

export function repeatedSenders({ senders, count }: TransactionColumns): RepeatedSenders {
  const groups: number[][] = []
  /** By key: the one row, or the group of rows, less one and negative. */
  const byKey = new Map<number, number>()
  for (let i = 0; i < count; i++) {
    const at = 20 * i
    // Four bytes tell most senders apart; of two that share them the second goes to the next free key.
    let key = (senders[at]! << 24) | (senders[at + 1]! << 16) | (senders[at + 2]! << 8) | senders[at + 3]!
    let known = byKey.get(key)
    while (known !== undefined) {
      const first = known >= 0 ? known : groups[-known - 1]![0]!
      if (isEqual(senders, 20 * first, senders, at, 20)) break
      known = byKey.get(++key)
    }
    if (known === undefined) byKey.set(key, i)
    else if (known < 0) groups[-known - 1]!.push(i)
    else {
      groups.push([known, i])
      byKey.set(key, -groups.length)
    }
  }
  return groups
}
