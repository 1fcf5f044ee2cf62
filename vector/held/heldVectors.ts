import type { RowKey } from '../rows/rowSchema.ts'
import { type Best, createBest } from './best.ts'
import { chunkRows, createColumnScan, type ScanQuestion, scanQuestion, tableTags } from './columnScan.ts'
import { type WholeNumbers, wholeNumbers } from './wholeNumbers.ts'

type Chunk = {
  /** Where its columns are. */
  readonly columns: number
  /** LanceDB's row ids, ascending. */
  readonly places: Float64Array
  /** Block of each row; never descending. */
  readonly blocks: Float64Array
  /** The largest of one over the length of a row's numbers. */
  mostInverse: number
  rows: number
}

/** A row without its vector. */
export type RowPosition = {
  /** LanceDB's row id. */
  readonly place: number
  readonly block: number
  /** A byte that says what questions may ask of it. */
  readonly tag: number
}

/** Vectors of rows in the order they were written, for a search that looks at all of them. */
export type HeldVectors = {
  readonly size: () => number
  /** Block of the newest row, and its place; -1 without any. */
  newest(): number
  lastPlace(): number
  /** Of length 1. Throws `RangeError` where blocks descend or places do not ascend, or where memory is at an end. */
  add(position: RowPosition, vector: Float32Array): void
  /**
   * Adds rows whose vectors are told later. Throws what `add` throws.
   * @param places ascending
   * @param blocks of each, never descending
   */
  reserve(places: Float64Array, blocks: Float64Array): void
  /** Tells of a row that was reserved; false where it has gone since. Throws `RangeError` where it is of another block. */
  fill(position: RowPosition, vector: Float32Array): boolean
  /** Takes back the rows of blocks from `lowest` on. */
  cut(lowest: bigint): void
  /** Lets go of rows of blocks up to `upTo`; some of them may stay. */
  forget(upTo: bigint): void
  clear(): void
  /**
   * The rows nearest to a vector of length 1, nearest first; of many as near the newest. What is added meanwhile may be left out.
   * @param fits all rows are looked at where it is undefined
   */
  nearest(vector: Float32Array, limit: number, fits?: Fits): Promise<readonly NearPlace[]>
  /** The same of rows at some places. */
  nearestAmong(vector: Float32Array, limit: number, places: ReadonlySet<RowKey>): readonly NearPlace[]
  /** What is known of the row at a place. */
  at(place: number): { readonly block: number; readonly vector: Float32Array } | undefined
  bytes(): number
  /** Starts the thread that helps to look at many, which else the first search of many does. */
  startThread(): Promise<void>
  /** Ends that thread; they can be searched on. */
  close(): Promise<void>
}

/** Whether a row is looked at. */
export type Fits = {
  readonly test: (tag: number, block: number) => boolean
  /** Of sixteen tags 255 for those that are, else 0, where neither block nor other tags play a part. */
  readonly table?: Uint8Array | undefined
}

/** Whether it has one of sixteen tags. */
export function fitsOfTags(test: (tag: number) => boolean): Fits {
  return { test, table: Uint8Array.from({ length: tableTags }, (_, tag) => (test(tag) ? 255 : 0)) }
}

/** Where a row is, and the cosine of its vector and another. */
export type NearPlace = { readonly place: number; readonly closeness: number }

/** Rows times components of a question from which a thread beside this one helps: they take 0.6 ms, and to tell it takes 0.1. */
const sharedFrom = 5_000_000

/**
 * 152 bytes a row.
 * @param leastShared for tests: in place of `sharedFrom`
 */
export function createHeldVectors(leastShared = sharedFrom): HeldVectors {
  let scan = createColumnScan()
  let chunks: Chunk[] = []
  let size = 0
  /** Goes up when rows went, or others came in their place. */
  let changes = 0

  return {
    size: () => size,
    newest,
    lastPlace,
    add({ place, block, tag }, vector) {
      const chunk = append(place, block)
      write(chunk, chunk.rows - 1, tag, vector)
    },
    reserve(places, blocks) {
      for (const [at, place] of places.entries()) append(place, blocks[at]!)
    },
    fill({ place, block, tag }, vector) {
      const found = find(place)
      if (!found) return false
      const { chunk, row } = found
      if (chunk.blocks[row] !== block)
        throw new RangeError(`expected row ${place} of block ${chunk.blocks[row]}, got block ${block}`)
      changes += 1
      write(chunk, row, tag, vector)
      return true
    },
    cut(lowest) {
      changes += 1
      for (let chunk = chunks.at(-1); chunk; chunk = chunks.at(-1)) {
        const before = chunk.rows
        while (chunk.rows > 0 && chunk.blocks[chunk.rows - 1]! >= lowest) chunk.rows -= 1
        size -= before - chunk.rows
        if (chunk.rows > 0) return
        scan.give(chunk.columns)
        chunks.pop()
      }
    },
    forget(upTo) {
      changes += 1
      const isPast = ({ blocks, rows }: Chunk) => blocks[rows - 1]! <= upTo
      for (const chunk of chunks.filter(isPast)) scan.give(chunk.columns)
      chunks = chunks.filter((chunk) => !isPast(chunk))
      size = chunks.reduce((sum, { rows }) => sum + rows, 0)
    },
    clear() {
      changes += 1
      // Memory of WebAssembly never shrinks.
      if (chunks.length > 0) {
        void scan.close()
        scan = createColumnScan()
      }
      chunks = []
      size = 0
    },
    async nearest(vector, limit, fits) {
      const asked = wholeNumbers(vector)
      const question = scanQuestion(asked.numbers)
      const best = (await bestShared(question, limit, fits)) ?? bestOf(chunks, question, limit, fits, false)
      return nearPlaces(best, asked)
    },
    nearestAmong(vector, limit, places) {
      const asked = wholeNumbers(vector)
      const question = scanQuestion(asked.numbers)
      const best = createBest(Math.min(limit, size))
      for (const place of [...places].sort((a, b) => Number(b) - Number(a))) {
        const found = find(Number(place))
        if (!found) continue
        best.add(scan.valueOf(question, found.chunk.columns, found.row), Number(place))
      }
      return nearPlaces(best, asked)
    },
    at(place) {
      const found = find(place)
      if (!found) return undefined
      const { chunk, row } = found
      return { block: chunk.blocks[row]!, vector: scan.read(chunk.columns, row) }
    },
    bytes: () => scan.bytes() + chunks.length * chunkRows * 16,
    startThread: () => scan.startThread(),
    close: () => scan.close(),
  }

  /** By two threads, where that is worth it; undefined where it is not, or did not come to an end, or rows went meanwhile. */
  async function bestShared(question: ScanQuestion, limit: number, fits: Fits | undefined) {
    if ((size * question.length) / 2 < leastShared) return undefined
    const before = changes
    // As many rows as there are now.
    const known = chunks.map((chunk) => ({ ...chunk }))
    const best = () => (changes === before ? bestOf(known, question, limit, fits, true) : undefined)
    return scan.useSums(question, known, best).catch(() => undefined)
  }

  function bestOf(
    among: readonly Chunk[],
    question: ScanQuestion,
    limit: number,
    fits: Fits | undefined,
    isSummed: boolean,
  ): Best {
    const best = createBest(Math.min(limit, size))
    const test = fits?.table ? undefined : fits?.test
    for (const chunk of among.toReversed()) {
      const { columns, places, blocks } = chunk
      const { found, valueAt } = scan.above(question, chunk, best.least(), isSummed, fits?.table)
      for (let at = found.length - 1; at >= 0; at -= 1) {
        const row = found[at]!
        const value = valueAt(row)
        if (value <= best.least() || (test && !test(scan.tagOf(columns, row), blocks[row]!))) continue
        best.add(value, places[row]!)
      }
    }
    return best
  }

  function append(place: number, block: number): Chunk {
    if (block < newest() || place <= lastPlace())
      throw new RangeError(
        `expected rows in their order, after block ${newest()} and row ${lastPlace()}, got block ${block} and row ${place}`,
      )
    let chunk = chunks.at(-1)
    if (!chunk || chunk.rows === chunkRows) {
      chunk = {
        columns: scan.take(),
        places: new Float64Array(chunkRows),
        blocks: new Float64Array(chunkRows),
        mostInverse: 0,
        rows: 0,
      }
      chunks.push(chunk)
    }
    chunk.places[chunk.rows] = place
    chunk.blocks[chunk.rows] = block
    chunk.rows += 1
    size += 1
    return chunk
  }

  function write(chunk: Chunk, row: number, tag: number, vector: Float32Array): void {
    const { numbers, length } = wholeNumbers(vector)
    scan.write(chunk.columns, row, tag, numbers, 1 / length)
    // As 24 bits may round it.
    chunk.mostInverse = Math.max(chunk.mostInverse, Math.fround(1 / length))
  }

  function newest(): number {
    const chunk = chunks.at(-1)
    return chunk ? chunk.blocks[chunk.rows - 1]! : -1
  }

  function lastPlace(): number {
    const chunk = chunks.at(-1)
    return chunk ? chunk.places[chunk.rows - 1]! : -1
  }

  function find(place: number): { readonly chunk: Chunk; readonly row: number } | undefined {
    const chunk = chunks[lastUpTo(chunks.length, (at) => chunks[at]!.places[0]! <= place)]
    if (!chunk) return undefined
    const row = lastUpTo(chunk.rows, (at) => chunk.places[at]! <= place)
    return chunk.places[row] === place ? { chunk, row } : undefined
  }
}

function nearPlaces(best: Best, { length }: WholeNumbers): readonly NearPlace[] {
  return best.places().map(({ place, value }) => ({ place, closeness: value / length }))
}

/** The last of so many ascending things for which it holds; -1 where it holds for none. */
function lastUpTo(length: number, holds: (at: number) => boolean): number {
  let [low, high] = [0, length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (holds(middle)) low = middle + 1
    else high = middle
  }
  return low - 1
}
