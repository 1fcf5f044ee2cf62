import type { TransactionColumns } from '../notification/types.ts'
import { type Liquidation, readLiquidation } from './decode/liquidations.ts'
import { type ChainLog, readLogs } from './decode/readLogs.ts'
import { readSwap, type Swap } from './decode/swaps.ts'
import { readTransfer, type TransferPlaces, transferPlaces } from './decode/transfers.ts'

/** What the logs of a block say happened, in chain order. */
export type BlockActivity = {
  /** The bytes that the places of `transfers` are in. */
  readonly bytes: Buffer
  /** Every ERC-20 transfer, by transaction. */
  readonly transfers: readonly { readonly index: number; readonly places: readonly TransferPlaces[] }[]
  /** Transactions with swaps. */
  readonly swaps: readonly { readonly index: number; readonly swaps: readonly Swap[] }[]
  readonly liquidations: readonly { readonly index: number; readonly liquidation: Liquidation }[]
}

/** Swaps of one transaction that are looked at: an arbitrage has a few, a log bomb thousands. */
const MAX_SWAPS = 64

/** Reads the logs of a block once. A block of a stream without logs has none of all this. */
export function readActivity(columns: TransactionColumns): BlockActivity {
  const { count, logs, logEnds } = columns
  const bytes = Buffer.from(logs.buffer, logs.byteOffset, logs.length)
  const transfers: { index: number; places: TransferPlaces[] }[] = []
  const swaps: { index: number; swaps: Swap[] }[] = []
  const liquidations: { index: number; liquidation: Liquidation }[] = []
  let start = 0
  for (let index = 0; index < count; index++) {
    const end = logEnds[index]!
    if (end === start) continue
    const known = readLogs(bytes, start, end)
    start = end
    if (known.length === 0) continue
    const places: TransferPlaces[] = []
    let hasSwap = false
    for (const log of known) {
      const transfer = transferPlaces(bytes, log)
      if (transfer) places.push(transfer)
      else if (log.meaning.type === 'swap') hasSwap = true
      else if (log.meaning.type === 'liquidation') {
        const liquidation = readLiquidation(bytes, log)
        if (liquidation) liquidations.push({ index, liquidation })
      }
    }
    if (places.length > 0) transfers.push({ index, places })
    if (hasSwap) {
      const found = readSwaps(bytes, known, places)
      if (found.length > 0) swaps.push({ index, swaps: found })
    }
  }
  return { bytes, transfers, swaps, liquidations }
}

function readSwaps(bytes: Buffer, logs: readonly ChainLog[], places: readonly TransferPlaces[]): Swap[] {
  const transfers = places.map((each) => readTransfer(bytes, each))
  const found: Swap[] = []
  for (let i = 0; i < logs.length && found.length < MAX_SWAPS; i++) {
    const swap = readSwap(bytes, logs[i]!, logs[i - 1], transfers)
    if (swap) found.push(swap)
  }
  return found
}
