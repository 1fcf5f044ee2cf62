import { incrementsOf } from '../graph/increments.ts'
import { readTransactions, type SourceRow } from '../graph/readTransactions.ts'
import { storedMemory } from '../memory/storedMemory.ts'
import { summariseEpoch } from '../memory/summariseEpoch.ts'
import type { RowIndex } from '../rows/rowIndex.ts'

export type ConsolidationOptions = {
  readonly chainId: bigint
  /** Blocks of an epoch: epochs end before its multiples, so they are the same everywhere. */
  readonly epochBlocks: number
  /** Rows of `transactions` taken in at a time, about; one epoch at least. */
  readonly batchRows: number
}

/** Epochs of a batch at most, however few rows they have. */
const mostEpochs = 4_096n

/** What came of taking epochs in. */
export type TakenIn = {
  /** Whether more may be waiting. */
  readonly hasMore: boolean
  /** The first block that is not taken in, as far as is known the next epoch with rows, by its last block. */
  readonly next: { readonly from: bigint; readonly end: bigint }
}

export type Consolidation = {
  /**
   * Takes in the epochs next in line that are complete when `asOf` is the newest block, a batch of them. Throws what SQLite throws; what is
   * written by then counts.
   */
  takeIn(asOf: bigint): TakenIn
}

/** The last block of the epoch of a block. */
export function epochEnd(block: bigint, epochBlocks: bigint): bigint {
  return (block / epochBlocks + 1n) * epochBlocks - 1n
}

/**
 * Turns complete epochs of stored transactions into what they add to the graph, and into memories. An epoch's rows depend on its
 * transactions alone and come in one transaction, by which they tell how far they are: a write that was cut short leaves nothing, and whatever
 * is undone, with its rows, and done again ends in the same ones.
 */
export function createConsolidation(
  rows: RowIndex,
  { chainId, epochBlocks, batchRows }: ConsolidationOptions,
): Consolidation {
  const length = BigInt(epochBlocks)
  const endOf = (block: bigint) => epochEnd(block, length)
  let epochsPerBatch = 1n

  return {
    takeIn(asOf) {
      const from = (rows.graph.reached() ?? -1n) + 1n
      const first = rows.nextBlock(from)
      const end = endOf(first ?? asOf + 1n)
      if (first === undefined || end > asOf) return { hasMore: false, next: { from, end } }
      const lastComplete = endOf(asOf) === asOf ? asOf : endOf(asOf) - length
      const last = lastOfBatch(end, lastComplete)
      write(readTransactions(rows, from, last), from)
      return { hasMore: last < lastComplete, next: { from: last + 1n, end: endOf(last + 1n) } }
    },
  }

  /** As many epochs as have about `batchRows` rows: twice as many as the last time, halved until they fit. */
  function lastOfBatch(firstEnd: bigint, lastComplete: bigint): bigint {
    for (let epochs = epochsPerBatch * 2n; epochs > 1n; epochs /= 2n) {
      const wanted = firstEnd + (epochs - 1n) * length
      const last = wanted < lastComplete ? wanted : lastComplete
      if (rows.countBetween(firstEnd - length + 1n, last) > batchRows) continue
      if (last === wanted && epochs <= mostEpochs) epochsPerBatch = epochs
      return last
    }
    epochsPerBatch = 1n
    return firstEnd
  }

  /** @param from the first block that is not taken in yet */
  function write(transactions: readonly SourceRow[], from: bigint): void {
    const epochs = [...Map.groupBy(transactions, (row) => endOf(row.blockNumber))].sort(([a], [b]) =>
      a < b ? -1 : 1,
    )
    rows.transaction(() => {
      for (const [toBlock, ofEpoch] of epochs) {
        // Shorter where epochs had another length before.
        const aligned = toBlock - length + 1n
        const span = { fromBlock: aligned > from ? aligned : from, toBlock }
        rows.graph.add(toBlock, incrementsOf(ofEpoch))
        rows.texts.add('memories', summariseEpoch(ofEpoch, chainId, span).map(storedMemory))
      }
    })
  }
}
