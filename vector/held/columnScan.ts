import { dimensions } from '../embed/featureVector.ts'
import { createSharedSums } from './sharedSums.ts'
import {
  columnOf,
  createColumnSums,
  createMemory,
  foundAt,
  inversesOf,
  makeRoom,
  reachOf,
  type ScanQuestion,
  sumsOf,
  tableAt,
  tagsOf,
} from './sumColumns.ts'

export { chunkRows, type ScanQuestion, tableTags } from './sumColumns.ts'

/** What is looked at of a chunk. */
export type ScannedChunk = {
  /** Where its columns are. */
  readonly columns: number
  readonly rows: number
  /** None of its rows has a larger one. */
  readonly mostInverse: number
}

/**
 * Vectors of small whole numbers, component after component, each of all rows of a chunk: a question has few components, and skips the
 * others. Sums are taken sixteen rows at a time (WebAssembly's SIMD).
 */
export type ColumnScan = {
  /** A chunk that nobody has. Throws `RangeError` where there is no memory for it. */
  take(): number
  give(columns: number): void
  /** @param inverse what sums of the row are multiplied with */
  write(columns: number, row: number, tag: number, numbers: Int8Array, inverse: number): void
  /** Its numbers times its inverse. */
  read(columns: number, row: number): Float32Array
  tagOf(columns: number, row: number): number
  /** Writes what a row has into another. */
  copy(columns: number, row: number, toColumns: number, toRow: number): void
  /** The sum of one row times its inverse. */
  valueOf(question: ScanQuestion, columns: number, row: number): number
  /** Starts another thread, which else the first `useSums` does. Rejects when that cannot be. */
  startThread(): Promise<void>
  /**
   * Takes the sums of all rows of chunks, this thread and another, and resolves to what is made of them; undefined while the other is not there.
   * Rejects when it ends.
   */
  useSums<T>(question: ScanQuestion, chunks: readonly ScannedChunk[], make: () => T): Promise<T | undefined>
  /**
   * The rows of a chunk whose sums times their inverses are above `least`, ascending, and perhaps some that are as much; until the next call.
   * @param isSummed whether its sums were taken by `useSums`; else they are now
   * @param table of sixteen tags those whose byte is 255 are looked for, no others; all where it is undefined
   */
  above(
    question: ScanQuestion,
    chunk: ScannedChunk,
    least: number,
    isSummed: boolean,
    table?: Uint8Array,
  ): { readonly found: Int16Array; valueAt(row: number): number }
  bytes(): number
  close(): Promise<void>
}

export function scanQuestion(numbers: Int8Array): ScanQuestion {
  const weighted: number[] = []
  for (const [component, weight] of numbers.entries()) if (weight !== 0) weighted.push(component, weight)
  const question = new Int32Array(Math.ceil(weighted.length / 8) * 8)
  question.set(weighted)
  return question
}

export function createColumnScan(): ColumnScan {
  const memory = createMemory()
  const sums = createColumnSums(memory)
  const shared = createSharedSums(memory, sums)
  const free: number[] = []
  let chunks = 0
  let bytes = new Int8Array(memory.buffer)
  let words = new Int16Array(memory.buffer)
  let inverses = new Float32Array(memory.buffer)

  return {
    take() {
      const known = free.pop()
      if (known !== undefined) return known
      makeRoom(memory, chunks + 1)
      if (bytes.length < memory.buffer.byteLength) {
        // What was seen of the memory before it grew is no longer all of it.
        bytes = new Int8Array(memory.buffer)
        words = new Int16Array(memory.buffer)
        inverses = new Float32Array(memory.buffer)
      }
      chunks += 1
      return chunks - 1
    },
    give(columns) {
      free.push(columns)
    },
    write(columns, row, tag, numbers, inverse) {
      bytes[tagsOf(columns) + row] = tag
      for (let component = 0; component < dimensions; component += 1)
        bytes[columnOf(columns, component) + row] = numbers[component]!
      inverses[inversesOf(columns) / 4 + row] = inverse
    },
    read(columns, row) {
      const vector = new Float32Array(dimensions)
      const inverse = inverses[inversesOf(columns) / 4 + row]!
      for (let component = 0; component < dimensions; component += 1)
        vector[component] = bytes[columnOf(columns, component) + row]! * inverse
      return vector
    },
    tagOf: (columns, row) => bytes[tagsOf(columns) + row]! & 255,
    copy(columns, row, toColumns, toRow) {
      for (let component = 0; component < dimensions; component += 1)
        bytes[columnOf(toColumns, component) + toRow] = bytes[columnOf(columns, component) + row]!
      bytes[tagsOf(toColumns) + toRow] = bytes[tagsOf(columns) + row]!
      inverses[inversesOf(toColumns) / 4 + toRow] = inverses[inversesOf(columns) / 4 + row]!
    },
    valueOf(question, columns, row) {
      let sum = 0
      for (let at = 0; at < question.length; at += 2)
        sum += question[at + 1]! * bytes[columnOf(columns, question[at]!) + row]!
      return sum * inverses[inversesOf(columns) / 4 + row]!
    },
    startThread: shared.start,
    useSums: shared.use,
    above(question, { columns, rows, mostInverse }, least, isSummed, table) {
      if (table) bytes.set(table, tableAt)
      const sumsAt = isSummed ? sumsOf(columns) : 0
      if (!isSummed) sums.take(question, columns, rows, sumsAt)
      // A little less, as 24 bits are rounded. Of rows that are far from it all are looked at.
      const bound = least > 0 ? least * (1 - 1e-6) : Number.NEGATIVE_INFINITY
      const leastSum = Math.max(-32_768, Math.min(32_767, Math.floor(bound / mostInverse)))
      let count = sums.above(
        ...([sumsAt, inversesOf(columns), reachOf(rows), leastSum, bound, foundAt] as const),
        ...([tagsOf(columns), tableAt, table ? 0 : 255] as const),
      )
      const found = words.subarray(foundAt / 2, foundAt / 2 + count)
      while (count > 0 && found[count - 1]! >= rows) count -= 1
      const inverseAt = inversesOf(columns) / 4
      return {
        found: found.subarray(0, count),
        valueAt: (row) => words[sumsAt / 2 + row]! * inverses[inverseAt + row]!,
      }
    },
    bytes: () => memory.buffer.byteLength,
    close: shared.close,
  }
}
