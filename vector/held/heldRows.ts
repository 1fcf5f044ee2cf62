import { setImmediate as turn } from 'node:timers/promises'
import { embedTransaction } from '../embed/embedTransaction.ts'
import type { RowCondition, RowTags } from '../filter/rowCondition.ts'
import type { Placed, RowIndex } from '../rows/rowIndex.ts'
import type { RowKey } from '../rows/rowSchema.ts'
import { transactionOf } from '../rows/storedRows.ts'
import type { TransactionRow } from '../types.ts'
import { tableTags } from './columnScan.ts'
import {
  createHeldVectors,
  type Fits,
  fitsOfTags,
  type HeldVectors,
  type NearPlace,
  type RowPosition,
} from './heldVectors.ts'
import type { PatternVectors } from './patternVectors.ts'
import { createTagCodes, type TagCodes } from './tagCodes.ts'

/** Of more, enough are among those nearest to whatever is asked. */
const mostListed = 4_000
/** Read at a time when a folder is opened: a few ms, between which questions are answered. */
const loadedRows = 500

/** A row's vector, and what of it is held beside, as stored. */
export type StoredVector = Omit<RowPosition, 'tag'> & {
  readonly tags: RowTags
  readonly vector: Float32Array
}

/** Reads rows of blocks after one and up to another, in any order, many times faster than one by one. */
export type StoredVectors = {
  positions(
    after: bigint,
    upTo: bigint,
  ): AsyncIterable<{ readonly places: Float64Array; readonly blocks: Float64Array }>
  vectors(after: bigint, upTo: bigint): AsyncIterable<readonly StoredVector[]>
}

/**
 * The rows of `transactions` that are searched in memory, each looked at: all of them, or, of more than may be held, those that LanceDB's
 * approximate index does not have yet. LanceDB takes 0.25 ms for a thousand rows without an index.
 */
export type HeldRows = {
  /** The vectors, when every row is either among them or in the index; undefined while that is not so. */
  vectors(): HeldVectors | undefined
  /**
   * Those nearest to a vector that fulfil a condition, nearest first; undefined where LanceDB is to be asked for all rows.
   * @param condition that all fulfil where it is undefined
   */
  nearest(
    vector: Float32Array,
    limit: number,
    condition?: RowCondition,
  ): Promise<readonly NearPlace[] | undefined>
  nearestAmong(
    vector: Float32Array,
    limit: number,
    places: ReadonlySet<RowKey>,
  ): readonly NearPlace[] | undefined
  /** The block and the vector of a row that is held. */
  at(place: number): ReturnType<HeldVectors['at']>
  /** The places of those that fulfil conditions an index leads to; undefined where they are many, or LanceDB is to be asked. */
  list(where: readonly string[]): ReadonlySet<RowKey> | undefined
  /** Whether it is known up to where the index has all rows. */
  isKnown(): boolean
  /** Whether all rows are among them. */
  isAll(): boolean
  /** Rows of later blocks than all before were appended. */
  applied(rows: readonly Placed<TransactionRow>[]): void
  /** Rows of blocks from `lowest` on were taken back. */
  cut(lowest: bigint): void
  /** Begins an indexing of all rows up to a block; what is returned is told whether the index has them, or it came to nothing. */
  indexing(upTo: bigint): (isIndexed: boolean) => void
  /** Resolves once the rows of a folder that was opened are there, or are too many. */
  readonly loaded: Promise<void>
  /** What they take. */
  bytes(): number
  stop(): Promise<void>
}

/** What is searched in memory, of each table with vectors. */
export type Held = { readonly transactions: HeldRows; readonly patterns: PatternVectors }

export type HeldRowsOptions = {
  /** Whether `transactions` has its approximate index. */
  readonly hasIndex: boolean
  /** Rows that may be held, 152 bytes each. */
  readonly most: number
  /** Keeps up to where the index has all rows. */
  readonly setIndexed?: (block: bigint) => void
  /** Where it is left out, rows are read one by one. */
  readonly stored?: StoredVectors
}

/** The row that was read last, and the newest block of what is read at once. */
type Reading = { place: number; upTo: bigint }

export function createHeldRows(
  rows: RowIndex,
  { hasIndex, most, setIndexed = rows.setIndexed, stored }: HeldRowsOptions,
): HeldRows {
  const vectors = createHeldVectors()
  const codes = createTagCodes()
  /** Up to where the index has all rows; undefined where nobody knows. */
  let indexed = hasIndex ? rows.indexed() : -1n
  /** The block after which all rows are held. */
  let heldAfter = -1n
  const jobs = new Set<{ upTo: bigint }>()
  /** Up to where is read; undefined when all is. */
  let reading: Reading | undefined
  let isFull = false
  let stopped = false
  let loading: Promise<void> | undefined
  const loaded = load()

  const isAll = () => heldAfter === -1n
  const complete = () => (isFull || reading || !hasOthers() ? undefined : vectors)

  return {
    vectors: complete,
    async nearest(vector, limit, condition) {
      if (condition && codes.isShort()) return undefined
      return complete()?.nearest(vector, limit, condition && testOf(condition, codes))
    },
    nearestAmong: (vector, limit, places) => complete()?.nearestAmong(vector, limit, places),
    at: vectors.at,
    list(where) {
      if (!complete()) return undefined
      const isHeld = isAll() ? [] : [`"blockNumber" > ${heldAfter}`]
      const places = rows.list('transactions', [...where, ...isHeld], mostListed + 1)
      return places.length > mostListed ? undefined : new Set(places)
    },
    isKnown: () => indexed !== undefined,
    isAll,
    applied(added) {
      // What is not read yet is read in its turn.
      if (isFull || reading) return
      // What is written can be read before it is told of here.
      const known = vectors.newest()
      try {
        for (const { place, row } of added) if (row.blockNumber > known) add(place, row)
        checkSize()
      } catch {
        // There is no memory for them: they are written, and LanceDB finds them.
        giveUp()
      }
    },
    cut(lowest) {
      vectors.cut(lowest)
      for (const job of jobs) if (job.upTo >= lowest) job.upTo = lowest - 1n
      if (indexed !== undefined && indexed >= lowest) indexed = lowest - 1n
      if (heldAfter >= lowest) heldAfter = lowest - 1n
      if (reading && reading.upTo >= lowest) reading.upTo = lowest - 1n
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
        if (isFull) void load()
        else if (!isAll()) letGo(indexed)
      }
    },
    loaded,
    bytes: vectors.bytes,
    async stop() {
      stopped = true
      await vectors.close()
    },
  }

  /** Whether what is not held can be searched through the index. */
  function hasOthers(): boolean {
    return isAll() || (indexed !== undefined && indexed >= heldAfter)
  }

  function add(place: number, row: TransactionRow): void {
    vectors.add({ place, block: Number(row.blockNumber), tag: codes.codeOf(row) }, embedTransaction(row))
  }

  function letGo(upTo: bigint): void {
    vectors.forget(upTo)
    heldAfter = upTo
  }

  function load(): Promise<void> {
    loading ??= read()
      // Rows that cannot be read are LanceDB's to find; whoever writes them next says what is wrong.
      .catch(giveUp)
      .finally(() => {
        loading = undefined
      })
    return loading
  }

  async function read(): Promise<void> {
    const reached = rows.reached()?.number ?? -1n
    vectors.clear()
    const isRoom = rows.count(reached) <= most
    heldAfter = isRoom ? -1n : (indexed ?? reached)
    isFull = !isRoom && (indexed === undefined || rows.countBetween(indexed + 1n, reached) > most)
    if (isFull) return
    const first = rows.lastPlace(heldAfter) ?? -1
    reading = { place: first, upTo: reached }
    if (stored) {
      await readAtOnce(reading, stored).catch(() => {
        vectors.clear()
        if (reading) reading.place = first
      })
    }
    while (reading && !stopped) {
      const found = rows.after(reading.place, loadedRows)
      for (const { place, row } of found) {
        add(place, transactionOf(row))
        reading.place = place
      }
      // In the same turn in which nothing more was found: from here on what is applied is added.
      if (found.length < loadedRows) reading = undefined
      checkSize()
      if (isFull) reading = undefined
      if (reading) await turn()
    }
    reading = undefined
  }

  /** All up to the block it was to reach, or, where blocks were taken back meanwhile, to that before them. Throws where some are missing. */
  async function readAtOnce(at: Reading, { positions, vectors: vectorsOf }: StoredVectors): Promise<void> {
    const { upTo } = at
    const batches: { readonly places: Float64Array; readonly blocks: Float64Array }[] = []
    for await (const batch of positions(heldAfter, upTo)) {
      if (stopped) return
      batches.push(batch)
    }
    // Compaction leaves rows in no order; as they were written both ascend.
    vectors.reserve(
      ascending(batches.map(({ places }) => places)),
      ascending(batches.map(({ blocks }) => blocks)),
    )
    vectors.cut(at.upTo + 1n)
    let filled = 0
    for await (const batch of vectorsOf(heldAfter, upTo)) {
      if (stopped) return
      for (const { place, block, tags, vector } of batch)
        if (vectors.fill({ place, block, tag: codes.codeOf(tags) }, vector)) filled += 1
    }
    if (filled < vectors.size())
      throw new Error(`expected the vectors of ${vectors.size()} rows, got ${filled}`)
    at.place = Math.max(at.place, vectors.lastPlace())
  }

  function checkSize(): void {
    if (vectors.size() > most && isAll() && indexed !== undefined && indexed >= 0n) letGo(indexed)
    if (vectors.size() <= most) return
    giveUp()
  }

  function giveUp(): void {
    isFull = true
    reading = undefined
    vectors.clear()
  }
}

/** Each way of tags is asked once where they are few, and the block plays no part. */
function testOf({ fits, isOfTags }: RowCondition, { tags }: TagCodes): Fits {
  if (!isOfTags) return { test: (code, block) => fits(tags[code]!, block) }
  // A row may have come with tags that nothing had before.
  const test = (code: number) => tags[code] !== undefined && fits(tags[code], 0)
  return tags.length > tableTags ? { test } : fitsOfTags(test)
}

function ascending(parts: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all.sort()
}
