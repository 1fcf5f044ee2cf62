import type { Address } from 'viem'
import type { ChainLog } from './readLogs.ts'
import { addressAt, addressInWord, topicAt, uintAt, wordAt } from './words.ts'

/** An ERC-20 transfer. */
export type Transfer = {
  readonly ordinal: number
  readonly token: Address
  readonly from: Address
  readonly to: Address
  readonly amount: bigint
}

/** A transfer as places in the log bytes: most are never looked at further. */
export type TransferPlaces = {
  readonly ordinal: number
  readonly token: number
  readonly from: number
  readonly to: number
  readonly amount: number
}

/**
 * Where the parts of an ERC-20 transfer are; undefined for any other log. An ERC-721 transfer has the same event with four
 * topics.
 */
export function transferPlaces(bytes: Buffer, log: ChainLog): TransferPlaces | undefined {
  if (log.meaning.type !== 'transfer' || log.topicCount !== 3 || log.dataBytes !== 32) return undefined
  const from = addressInWord(bytes, topicAt(log, 1))
  const to = addressInWord(bytes, topicAt(log, 2))
  if (from === undefined || to === undefined) return undefined
  return { ordinal: log.ordinal, token: log.address, from, to, amount: wordAt(log, 0) }
}

/** The transfer at its places. */
export function readTransfer(bytes: Buffer, places: TransferPlaces): Transfer {
  return {
    ordinal: places.ordinal,
    token: addressAt(bytes, places.token),
    from: addressAt(bytes, places.from),
    to: addressAt(bytes, places.to),
    amount: uintAt(bytes, places.amount),
  }
}
