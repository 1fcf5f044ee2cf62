import { embedPattern } from '../embed/embedPattern.ts'
import type { RowIndex } from '../rows/rowIndex.ts'
import type { RowKey } from '../rows/rowSchema.ts'
import type { PatternProfile } from '../types.ts'
import { createBest } from './best.ts'
import { chunkRows, createColumnScan, scanQuestion } from './columnScan.ts'
import type { Fits } from './heldVectors.ts'
import { wholeNumbers } from './wholeNumbers.ts'

/** Of more the answers come from LanceDB, in 25 ms for each 100 000. */
const mostPatterns = 250_000
/** Of more, enough are among those nearest to whatever is asked. */
const mostListed = 20_000
/** What one takes beside its vector: its id, where that is, and the block. */
const bytesBeside = 200

/** What of a pattern conditions are about that are told without reading it: bits of its tag. */
export const patternBits = { svm: 1, failed: 2, succeeded: 4, executed: 8 } as const

/** What is known of a pattern that was not read, and the cosine of its vector and another. */
export type NearPattern = KnownPattern & { readonly vector: Float32Array; readonly closeness: number }

type KnownPattern = Pick<PatternProfile, 'id' | 'boundary'>

/** The vectors of all patterns, for a search that looks at each. */
export type PatternVectors = {
  /**
   * The patterns nearest to a vector, nearest first, and of as near ones by id; undefined where there are too many, and LanceDB is to be asked.
   * @param fits of a tag and the block up to which a pattern is counted; all patterns where it is undefined
   */
  nearest(vector: Float32Array, limit: number, fits?: Fits): readonly NearPattern[] | undefined
  nearestAmong(
    vector: Float32Array,
    limit: number,
    ids: ReadonlySet<RowKey>,
  ): readonly NearPattern[] | undefined
  /** The ids of those that fulfil conditions; undefined where they are many, or LanceDB is to be asked. */
  list(where: readonly string[]): ReadonlySet<RowKey> | undefined
  /** No index holds any. */
  isAll(): boolean
  applied(removed: readonly string[], upserted: readonly PatternProfile[]): void
  /** What they take. */
  bytes(): number
}

export function createPatternVectors(rows: Pick<RowIndex, 'newest' | 'list'>): PatternVectors {
  /** Read with the first question. */
  let table: VectorTable | undefined
  /** There were once too many: they are let go, and read again when the folder is next opened. */
  let isFull = false

  return {
    nearest: (vector, limit, fits) => all()?.nearest(vector, limit, fits),
    nearestAmong: (vector, limit, ids) => all()?.nearestAmong(vector, limit, ids),
    list(where) {
      if (!all()) return undefined
      const ids = rows.list('patterns', where, mostListed + 1)
      return ids.length > mostListed ? undefined : new Set(ids)
    },
    isAll: () => true,
    applied(removed, upserted) {
      if (!table) return
      for (const id of removed) table.remove(id)
      for (const pattern of upserted) table.set(pattern)
      checkSize(table)
    },
    bytes: () => table?.bytes() ?? 0,
  }

  function all(): VectorTable | undefined {
    if (isFull) return undefined
    table ??= read()
    checkSize(table)
    return table
  }

  function checkSize({ size }: VectorTable): void {
    if (size() <= mostPatterns) return
    isFull = true
    table = undefined
  }

  function read(): VectorTable {
    const made = createVectorTable()
    for (const row of rows.newest('patterns', [], mostPatterns + 1))
      made.set(row as unknown as PatternProfile)
    return made
  }
}

type VectorTable = ReturnType<typeof createVectorTable>

/** Vectors by id, one after another: the last takes the place of one that goes. */
function createVectorTable() {
  const scan = createColumnScan()
  const chunks: { readonly columns: number; rows: number; mostInverse: number }[] = []
  const ids: string[] = []
  const boundaries: number[] = []
  const places = new Map<string, number>()
  const columnsOf = (place: number) => chunks[Math.floor(place / chunkRows)]!.columns
  const isBefore = (place: number, other: number) => ids[place]! < ids[other]!

  return {
    size: () => ids.length,
    bytes: () => scan.bytes() + ids.length * bytesBeside,
    set(pattern: PatternProfile) {
      const { id, boundary } = pattern
      const place = places.get(id) ?? append(id)
      boundaries[place] = Number(boundary)
      const { numbers, length } = wholeNumbers(embedPattern(pattern))
      const chunk = chunks[Math.floor(place / chunkRows)]!
      scan.write(chunk.columns, place % chunkRows, tagOf(pattern), numbers, 1 / length)
      // As 24 bits may round it.
      chunk.mostInverse = Math.max(chunk.mostInverse, Math.fround(1 / length))
    },
    remove(id: string) {
      const place = places.get(id)
      if (place === undefined) return
      places.delete(id)
      const last = ids.length - 1
      if (place < last) move(last, place)
      ids.pop()
      boundaries.pop()
      const chunk = chunks.at(-1)!
      chunk.rows -= 1
      if (chunk.rows > 0) return
      scan.give(chunk.columns)
      chunks.pop()
    },
    nearest(vector: Float32Array, limit: number, fits?: Fits): readonly NearPattern[] {
      const { numbers, length } = wholeNumbers(vector)
      const question = scanQuestion(numbers)
      const best = createBest(Math.min(limit, ids.length), isBefore)
      const test = fits?.table ? undefined : fits?.test
      for (const [at, chunk] of chunks.entries()) {
        const { found, valueAt } = scan.above(question, chunk, best.least(), false, fits?.table)
        for (const row of found) {
          const place = at * chunkRows + row
          if (test && !test(scan.tagOf(chunk.columns, row), boundaries[place]!)) continue
          best.add(valueAt(row), place)
        }
      }
      return best.places().map(({ place, value }) => near(place, value / length))
    },
    nearestAmong(vector: Float32Array, limit: number, among: ReadonlySet<RowKey>): readonly NearPattern[] {
      const { numbers, length } = wholeNumbers(vector)
      const question = scanQuestion(numbers)
      const best = createBest(Math.min(limit, ids.length), isBefore)
      for (const id of among) {
        const place = places.get(String(id))
        if (place !== undefined) best.add(scan.valueOf(question, columnsOf(place), place % chunkRows), place)
      }
      return best.places().map(({ place, value }) => near(place, value / length))
    },
  }

  function append(id: string): number {
    const place = ids.length
    if (place % chunkRows === 0) chunks.push({ columns: scan.take(), rows: 0, mostInverse: 0 })
    chunks.at(-1)!.rows += 1
    ids.push(id)
    places.set(id, place)
    return place
  }

  function move(from: number, to: number): void {
    const [source, target] = [chunks[Math.floor(from / chunkRows)]!, chunks[Math.floor(to / chunkRows)]!]
    scan.copy(source.columns, from % chunkRows, target.columns, to % chunkRows)
    target.mostInverse = Math.max(target.mostInverse, source.mostInverse)
    ids[to] = ids[from]!
    boundaries[to] = boundaries[from]!
    places.set(ids[to]!, to)
  }

  function near(place: number, closeness: number): NearPattern {
    const vector = scan.read(columnsOf(place), place % chunkRows)
    return { id: ids[place]!, boundary: BigInt(boundaries[place]!), vector, closeness }
  }
}

function tagOf({ svm, evmFailed, svmFailed, evmSucceeded, svmExecuted }: PatternProfile): number {
  const { svm: isSvm, failed, succeeded, executed } = patternBits
  return (
    (svm ? isSvm : 0) |
    (evmFailed > 0 || svmFailed > 0 ? failed : 0) |
    (evmSucceeded > 0 ? succeeded : 0) |
    (svmExecuted > 0 ? executed : 0)
  )
}
