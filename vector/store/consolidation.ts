import type { Table } from '@lancedb/lancedb'
import { VectorStoreError } from '../errors.ts'
import { type Increments, incrementsOf } from '../graph/increments.ts'
import { readTransactions, type SourceRow } from '../graph/readTransactions.ts'
import { encodeMemories } from '../memory/encodeMemories.ts'
import { summariseEpoch } from '../memory/summariseEpoch.ts'
import type { MemoryRow } from '../memory/types.ts'
import type { GraphRows } from '../rows/graphRows.ts'
import { errorText } from './failure.ts'
import { epochRows, newestOf } from './newestOf.ts'

export type ConsolidationOptions = {
  readonly chainId: bigint
  /** Blocks of an epoch: epochs end before its multiples, so they are the same everywhere. */
  readonly epochBlocks: number
  /** Rows of `transactions` taken in at a time, about; one epoch at least. */
  readonly batchRows: number
}

/** What is made of `transactions`. */
type Derived = 'graph' | 'memories'

/** Epochs of a batch at most, however few rows they have. */
const mostEpochs = 4_096n

export type ConsolidationTables = {
  readonly transactions: Table
  readonly graph: GraphRows
  /** Undefined where the table cannot be used. */
  readonly memories: Table | undefined
}

export type Consolidation = {
  /** Newest block whose epoch is in the graph and in the memories; undefined before the first. */
  consolidatedTo(): bigint | undefined
  /** False when no epoch is complete with `asOf` as the newest block; asks nobody. */
  isDue(asOf: bigint): boolean
  /**
   * Takes in the epochs next in line that are complete when `asOf` is the newest block, a batch of them. True when more may be
   * waiting. Throws what SQLite and LanceDB throw; what is written by then counts.
   */
  takeIn(asOf: bigint): Promise<boolean>
  /** Keeps what was found in blocks. False when there is no table to keep it in. */
  remember(findings: readonly MemoryRow[]): Promise<boolean>
  /** Takes back everything of blocks from `lowest` on. Throws `VectorStoreError` `STORE_FAILED`, which names the table. */
  cut(lowest: bigint): Promise<void>
}

/**
 * Turns complete epochs of stored transactions into what they add to the graph, and into memories. An epoch's rows depend on its
 * transactions alone, and graph and memories get them in one write each: so each tells by its newest row how far it is, a write that was
 * cut short leaves nothing, and whatever is undone and done again ends in the same rows.
 */
export async function createConsolidation(
  { transactions, graph, memories }: ConsolidationTables,
  { chainId, epochBlocks, batchRows }: ConsolidationOptions,
): Promise<Consolidation> {
  const length = BigInt(epochBlocks)
  const open: readonly Derived[] = memories ? ['graph', 'memories'] : ['graph']
  const reached = new Map<Derived, bigint | undefined>()
  // Also what findings are in: they go with their block, like the summaries.
  let newestMemory = -1n
  let epochsPerBatch = 1n
  // End of the epoch that is next, or an earlier one.
  let dueAt = 0n
  for (const name of open) await readReached(name)

  return {
    consolidatedTo() {
      const least = from() - 1n
      return least < 0n ? undefined : least
    },

    isDue: (asOf) => asOf >= dueAt,

    async takeIn(asOf) {
      const first = await nextBlock(from())
      dueAt = endOf(first ?? asOf + 1n)
      if (first === undefined || dueAt > asOf) return false
      const lastComplete = endOf(asOf) === asOf ? asOf : endOf(asOf) - length
      const last = await lastOfBatch(dueAt, lastComplete)
      await write(await readTransactions(transactions, first, last), last)
      dueAt = endOf(last + 1n)
      return last < lastComplete
    },

    async remember(findings) {
      if (!memories) return false
      const upsert = memories.mergeInsert('id').whenMatchedUpdateAll().whenNotMatchedInsertAll()
      await upsert.execute(encodeMemories(findings, chainId))
      for (const { toBlock } of findings) if (toBlock > newestMemory) newestMemory = toBlock
      return true
    },

    async cut(lowest) {
      for (const name of open) {
        const newest = name === 'memories' ? newestMemory : (reached.get(name) ?? -1n)
        if (newest < lowest) continue
        try {
          if (name === 'graph') graph.cut(lowest)
          else await memories?.delete(`\`toBlock\` >= ${lowest}`)
          await readReached(name)
        } catch (cause) {
          const file = name === 'graph' ? 'rows.sqlite' : 'memories.lance'
          throw new VectorStoreError(
            'STORE_FAILED',
            `vector store: blocks from ${lowest} on could not be taken back from ${file}: ${errorText(cause)}. If the disk is full, ` +
              `make room; otherwise stop, move ${file} away and start: it is made anew.`,
            { cause, facts: { file } },
          )
        }
        dueAt = 0n
      }
    },
  }

  /** The lowest block that some table lacks. */
  function from(): bigint {
    let least: bigint | undefined
    for (const name of open) {
      const to = reached.get(name) ?? -1n
      if (least === undefined || to < least) least = to
    }
    return (least ?? -1n) + 1n
  }

  function endOf(block: bigint): bigint {
    return (block / length + 1n) * length - 1n
  }

  /** The next block that has rows: epochs without any leave nothing. */
  async function nextBlock(least: bigint): Promise<bigint | undefined> {
    const rows: { blockNumber: bigint }[] = await transactions
      .query()
      .where(`\`blockNumber\` >= ${least}`)
      .orderBy({ columnName: 'blockNumber', ascending: true })
      .select(['blockNumber'])
      .limit(1)
      .toArray()
    return rows[0]?.blockNumber
  }

  /** As many epochs as have about `batchRows` rows: twice as many as the last time, halved until they fit. */
  async function lastOfBatch(firstEnd: bigint, lastComplete: bigint): Promise<bigint> {
    for (let epochs = epochsPerBatch * 2n; epochs > 1n; epochs /= 2n) {
      const wanted = firstEnd + (epochs - 1n) * length
      const last = wanted < lastComplete ? wanted : lastComplete
      const count = await transactions.countRows(
        `\`blockNumber\` > ${firstEnd - length} AND \`blockNumber\` <= ${last}`,
      )
      if (count > batchRows) continue
      if (last === wanted && epochs <= mostEpochs) epochsPerBatch = epochs
      return last
    }
    epochsPerBatch = 1n
    return firstEnd
  }

  async function write(rows: readonly SourceRow[], last: bigint): Promise<void> {
    // Where tables are not equally far each gets what it lacks, whatever epochs were before.
    const made = new Map<bigint, readonly Epoch[]>()
    for (const name of open) {
      const to = reached.get(name) ?? -1n
      if (to >= last) continue
      const epochs = made.get(to) ?? epochsAfter(rows, to)
      made.set(to, epochs)
      await add(name, epochs)
      reached.set(name, last)
      if (name === 'memories' && last > newestMemory) newestMemory = last
    }
  }

  /** The epochs of rows, without what is in a table that is as far as `to`. */
  function epochsAfter(rows: readonly SourceRow[], to: bigint): readonly Epoch[] {
    const missing = rows.filter((row) => row.blockNumber > to)
    return [...Map.groupBy(missing, (row) => endOf(row.blockNumber))]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([toBlock, rows]): Epoch => {
        // Shorter where epochs had another length before.
        const aligned = toBlock - length + 1n
        const span = { fromBlock: aligned > to ? aligned : to + 1n, toBlock }
        return { span, rows, increments: incrementsOf(rows) }
      })
  }

  async function add(name: Derived, epochs: readonly Epoch[]): Promise<void> {
    if (name === 'memories') {
      const rows = epochs.flatMap(({ span, rows }) => summariseEpoch(rows, chainId, span))
      if (rows.length > 0) await memories?.add(encodeMemories(rows, chainId))
      return
    }
    graph.add(
      epochs.flatMap(({ span, increments }) => increments.edges.map((edge) => ({ ...edge, ...span }))),
      epochs.flatMap(({ span, increments }) => increments.entities.map((entity) => ({ ...entity, ...span }))),
    )
  }

  async function readReached(name: Derived): Promise<void> {
    if (name === 'graph') {
      reached.set(name, graph.reached())
      return
    }
    newestMemory = (memories && (await newestOf(memories))) ?? -1n
    reached.set(name, memories && (await newestOf(memories, epochRows)))
  }
}

type Epoch = {
  readonly span: { readonly fromBlock: bigint; readonly toBlock: bigint }
  readonly rows: readonly SourceRow[]
  readonly increments: Increments
}
