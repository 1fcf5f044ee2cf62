import { incrementsOf } from '../graph/increments.ts'
import { readTransactions, type SourceRow } from '../graph/readTransactions.ts'
import { storedMemory } from '../memory/storedMemory.ts'
import { summariseEpoch } from '../memory/summariseEpoch.ts'
import type { MemoryRow } from '../memory/types.ts'
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

export type Consolidation = {
  /** Newest block whose epoch is in the graph and in the memories; undefined before the first. */
  consolidatedTo(): bigint | undefined
  /** False when no epoch is complete with `asOf` as the newest block; asks for no rows. */
  isDue(asOf: bigint): boolean
  /**
   * Takes in the epochs next in line that are complete when `asOf` is the newest block, a batch of them. True when more may be
   * waiting. Throws what SQLite throws; what is written by then counts.
   */
  takeIn(asOf: bigint): boolean
  /** Blocks were taken back: what is due may be earlier. */
  forget(): void
  /** Keeps what was found in blocks, once. */
  remember(findings: readonly MemoryRow[]): void
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
  let epochsPerBatch = 1n
  /** End of the epoch that is next after what is taken in, or an earlier one. */
  let due = { from: -1n, at: 0n }

  return {
    consolidatedTo: () => rows.graph.reached(),

    isDue(asOf) {
      const from = next()
      if (due.from !== from) due = { from, at: endOf(from) }
      return asOf >= due.at
    },

    takeIn(asOf) {
      const from = next()
      const first = rows.nextBlock(from)
      const end = endOf(first ?? asOf + 1n)
      due = { from, at: end }
      if (first === undefined || end > asOf) return false
      const lastComplete = endOf(asOf) === asOf ? asOf : endOf(asOf) - length
      const last = lastOfBatch(end, lastComplete)
      write(readTransactions(rows, from, last), from)
      return last < lastComplete
    },

    forget() {
      due = { from: -1n, at: 0n }
    },

    remember(findings) {
      rows.texts.add('memories', findings.map(storedMemory))
    },
  }

  /** The block after all that is taken in. */
  function next(): bigint {
    return (rows.graph.reached() ?? -1n) + 1n
  }

  function endOf(block: bigint): bigint {
    return (block / length + 1n) * length - 1n
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
        const { edges, entities } = incrementsOf(ofEpoch)
        rows.graph.add(
          edges.map((edge) => ({ ...edge, ...span })),
          entities.map((entity) => ({ ...entity, ...span })),
        )
        rows.texts.add('memories', summariseEpoch(ofEpoch, chainId, span).map(storedMemory))
      }
    })
  }
}
