import { setImmediate as turn } from 'node:timers/promises'
import { embedTransaction } from '../embed/embedTransaction.ts'
import type { StoredRow } from '../query/describeRow.ts'
import type { Placed, RowIndex } from '../rows/rowIndex.ts'
import type { RowKey } from '../rows/rowSchema.ts'
import { transactionOf } from '../rows/storedRows.ts'
import type { TransactionRow } from '../types.ts'
import { createFreshVectors, type FreshVectors } from './freshVectors.ts'
import type { PatternVectors } from './patternVectors.ts'

/** 18 MB. */
const mostRows = 131_072
/** Of more, enough are among those nearest to whatever is asked. */
const mostListed = 4_000
/** Read at a time when a folder is opened: a few ms, between which questions are answered. */
const loadedRows = 500

/**
 * The rows of `transactions` that its approximate index does not hold yet, for a search that looks at all of them: LanceDB takes 0.5 ms for a
 * thousand of such rows.
 */
export type FreshRows = {
  /** The vectors, when every row is either among them or in the index; undefined while that is not so. */
  vectors(): FreshVectors | undefined
  /**
   * The places of those about nearest to a vector; undefined where LanceDB is to be asked for all rows.
   * @param among places that are looked at; all where it is undefined
   */
  nearest(vector: Float32Array, limit: number, among?: ReadonlySet<RowKey>): readonly number[] | undefined
  /** The places of those that fulfil conditions an index leads to; undefined where they are many, or LanceDB is to be asked. */
  list(where: readonly string[]): ReadonlySet<RowKey> | undefined
  /** Whether it is known up to where the index has all rows. */
  isKnown(): boolean
  /** Whether no row is in the index. */
  isAll(): boolean
  /** Rows of later blocks than all before were appended. */
  applied(rows: readonly Placed<TransactionRow>[]): void
  /** Rows of blocks from `lowest` on were taken back. */
  cut(lowest: bigint): void
  /** Begins an indexing of all rows up to a block; what is returned is told whether the index has them, or it came to nothing. */
  indexing(upTo: bigint): (isIndexed: boolean) => void
  /** Resolves once the rows of a folder that was opened are there, or are too many. */
  readonly loaded: Promise<void>
  stop(): void
}

/** What is searched in memory, of each table with vectors. */
export type Fresh = { readonly transactions: FreshRows; readonly patterns: PatternVectors }

/**
 * @param hasIndex whether `transactions` has its approximate index
 * @param setIndexed keeps up to where it has all rows
 */
export function createFreshRows(
  rows: RowIndex,
  hasIndex: boolean,
  setIndexed: (block: bigint) => void = rows.setIndexed,
): FreshRows {
  const vectors = createFreshVectors()
  /** Up to where the index has all rows; undefined where nobody knows. */
  let indexed = hasIndex ? rows.indexed() : -1n
  const jobs = new Set<{ upTo: bigint }>()
  /** Where reading stopped; undefined when all is read. */
  let reading: { block: bigint; id: string } | undefined
  let isFull = false
  let stopped = false
  let loading: Promise<void> | undefined
  const loaded = load()

  const complete = () => (indexed === undefined || isFull || reading ? undefined : vectors)

  return {
    vectors: complete,
    nearest: (vector, limit, among) => complete()?.nearest(vector, limit, among),
    list(where) {
      if (!complete()) return undefined
      const places = rows.list('transactions', [...where, `"blockNumber" > ${indexed}`], mostListed + 1)
      return places.length > mostListed ? undefined : new Set(places)
    },
    isKnown: () => indexed !== undefined,
    isAll: () => indexed === -1n,
    applied(added) {
      // What is not read yet is read in its turn.
      if (isFull || reading || indexed === undefined) return
      // What is written can be read before it is told of here.
      const known = vectors.newest()
      for (const { place, row } of added.toSorted(byBlock))
        if (row.blockNumber > known) vectors.add(place, row.blockNumber, embedTransaction(row))
      checkSize()
    },
    cut(lowest) {
      vectors.cut(lowest)
      for (const job of jobs) if (job.upTo >= lowest) job.upTo = lowest - 1n
      if (indexed !== undefined && indexed >= lowest) indexed = lowest - 1n
      if (reading && reading.block >= lowest) reading = { block: lowest, id: '' }
    },
    indexing(upTo) {
      const job = { upTo }
      jobs.add(job)
      return (isIndexed) => {
        jobs.delete(job)
        if (!isIndexed) return
        // What was taken back meanwhile was more than the index had.
        if (indexed !== undefined && job.upTo < indexed) return
        indexed = job.upTo
        setIndexed(indexed)
        vectors.forget(indexed)
        if (isFull || vectors.size() === 0) void load()
      }
    },
    loaded,
    stop() {
      stopped = true
    },
  }

  function load(): Promise<void> {
    loading ??= read()
      // Rows that cannot be read are LanceDB's to find; whoever writes them next says what is wrong.
      .catch(() => {
        indexed = undefined
        reading = undefined
      })
      .finally(() => {
        loading = undefined
      })
    return loading
  }

  async function read(): Promise<void> {
    if (indexed === undefined) return
    vectors.clear()
    isFull = false
    reading = { block: indexed + 1n, id: '' }
    while (reading && !stopped && !isFull) {
      const found = rows.after(reading, loadedRows)
      for (const { place, row } of found) vectors.add(place, row.blockNumber as bigint, vectorOf(row))
      checkSize()
      const last = found.at(-1)?.row
      // In the same turn in which nothing more was found: from here on what is applied is added.
      reading =
        found.length < loadedRows ? undefined : { block: last!.blockNumber as bigint, id: String(last!.id) }
      if (reading) await turn()
    }
    reading = undefined
  }

  function checkSize(): void {
    if (vectors.size() <= mostRows) return
    isFull = true
    vectors.clear()
  }
}

function byBlock({ row: a }: Placed<TransactionRow>, { row: b }: Placed<TransactionRow>): number {
  return a.blockNumber < b.blockNumber ? -1 : a.blockNumber > b.blockNumber ? 1 : 0
}

function vectorOf(row: StoredRow): Float32Array {
  return embedTransaction(transactionOf(row))
}
