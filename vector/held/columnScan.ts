import { readFileSync } from 'node:fs'
import { dimensions } from '../embed/featureVector.ts'

/** Rows of a chunk: the sums of one, and a column of it, fit a core's cache. */
export const chunkRows = 8192
/** More than the rows: columns that were a power of two apart would share the lines of the cache that a row is written to. */
const columnBytes = chunkRows + 64
/** The inverses come after the columns, four bytes a row. */
const chunkBytes = dimensions * columnBytes + 4 * chunkRows
const pageBytes = 65_536
/** Before the chunks: the sums of one, and what was found in it, two bytes a row each. */
const scratchBytes = pageBytes
const foundAt = 2 * chunkRows
/** What of it is used here; Node's types do not tell. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown }
  readonly Memory: new (pages: {
    readonly initial: number
  }) => { readonly buffer: ArrayBuffer; grow(pages: number): number }
}

/** As `scanColumns.wat` says; `npm run wasm` makes it of that. */
const module = new WebAssembly.Module(readFileSync(new URL('./scanColumns.wasm', import.meta.url)))

type Scan = {
  /** Adds `weight * column[row]` of four columns to `sums[row]`. */
  add(
    ...parameters: readonly [
      ...columns: readonly [number, number, number, number],
      ...weights: readonly [number, number, number, number],
      sums: number,
      rows: number,
    ]
  ): void
  /** Writes the rows whose sums times their inverses are above `least`, none of which has a sum up to `leastSum`, and returns how many there are. */
  above(sums: number, inverses: number, rows: number, leastSum: number, least: number, found: number): number
}

type Weighted = { readonly component: number; readonly weight: number }

/** What vectors are compared with: components that are not 0, each with its weight, four at a time; of the last four some may weigh 0. */
export type ScanQuestion = readonly (readonly [Weighted, Weighted, Weighted, Weighted])[]

/**
 * Vectors of small whole numbers, component after component, each of all rows of a chunk: a question has few components, and skips the
 * others. Sums are taken sixteen rows at a time (WebAssembly's SIMD).
 */
export type ColumnScan = {
  /** A chunk that nobody has. Throws `RangeError` where there is no memory for it. */
  take(): number
  give(chunk: number): void
  /** @param inverse what sums of the row are multiplied with */
  write(chunk: number, row: number, numbers: Int8Array, inverse: number): void
  read(chunk: number, row: number): { readonly numbers: Int8Array; readonly inverse: number }
  /** The sum of one row times its inverse. */
  valueOf(question: ScanQuestion, chunk: number, row: number): number
  /**
   * The rows of a chunk whose sums times their inverses are above `least`, ascending, and perhaps some that are as much; until the next call.
   * @param rows how many it has
   * @param mostInverse no row's is larger
   */
  above(
    question: ScanQuestion,
    chunk: number,
    rows: number,
    least: number,
    mostInverse: number,
  ): { readonly found: Int16Array; valueAt(row: number): number }
  bytes(): number
}

export function scanQuestion(numbers: Int8Array): ScanQuestion {
  const weighted: Weighted[] = []
  for (const [component, weight] of numbers.entries()) if (weight !== 0) weighted.push({ component, weight })
  const none = { component: 0, weight: 0 }
  const question: (readonly [Weighted, Weighted, Weighted, Weighted])[] = []
  for (let at = 0; at < weighted.length; at += 4) {
    const [a = none, b = none, c = none, d = none] = weighted.slice(at, at + 4)
    question.push([a, b, c, d])
  }
  return question
}

export function createColumnScan(): ColumnScan {
  const memory = new WebAssembly.Memory({ initial: scratchBytes / pageBytes })
  const { exports } = new WebAssembly.Instance(module, { columns: { memory } })
  const { add, above } = exports as Scan
  const free: number[] = []
  let chunks = 0
  let bytes = new Int8Array(memory.buffer)
  let words = new Int16Array(memory.buffer)
  let inverses = new Float32Array(memory.buffer)
  const startOf = (chunk: number) => scratchBytes + chunk * chunkBytes
  const inverseAt = (chunk: number) => (startOf(chunk) + dimensions * columnBytes) / 4

  return {
    take() {
      const known = free.pop()
      if (known !== undefined) return known
      const chunk = chunks
      const lacking = startOf(chunk + 1) - memory.buffer.byteLength
      if (lacking > 0) {
        memory.grow(Math.ceil(lacking / pageBytes))
        // What was seen of the memory before is of no use after it has grown.
        bytes = new Int8Array(memory.buffer)
        words = new Int16Array(memory.buffer)
        inverses = new Float32Array(memory.buffer)
      }
      chunks += 1
      return chunk
    },
    give(chunk) {
      free.push(chunk)
    },
    write(chunk, row, numbers, inverse) {
      const start = startOf(chunk) + row
      for (let component = 0; component < dimensions; component += 1)
        bytes[start + component * columnBytes] = numbers[component]!
      inverses[inverseAt(chunk) + row] = inverse
    },
    read(chunk, row) {
      const start = startOf(chunk) + row
      const numbers = Int8Array.from(
        { length: dimensions },
        (_, component) => bytes[start + component * columnBytes]!,
      )
      return { numbers, inverse: inverses[inverseAt(chunk) + row]! }
    },
    valueOf(question, chunk, row) {
      const start = startOf(chunk) + row
      let sum = 0
      for (const four of question)
        for (const { component, weight } of four) sum += weight * bytes[start + component * columnBytes]!
      return sum * inverses[inverseAt(chunk) + row]!
    },
    above(question, chunk, rows, least, mostInverse) {
      const start = startOf(chunk)
      // Sixteen at a time: some of the last may be of nobody.
      const reach = (rows + 15) & ~15
      words.fill(0, 0, reach)
      const columnOf = ({ component }: Weighted) => start + component * columnBytes
      for (const [a, b, c, d] of question) {
        const columns = [columnOf(a), columnOf(b), columnOf(c), columnOf(d)] as const
        add(...columns, a.weight, b.weight, c.weight, d.weight, 0, reach)
      }
      // A little less, as 24 bits are rounded. Of rows that are far from it all are looked at.
      const bound = least > 0 ? least * (1 - 1e-6) : Number.NEGATIVE_INFINITY
      const leastSum = Math.max(-32_768, Math.min(32_767, Math.floor(bound / mostInverse)))
      const at = inverseAt(chunk)
      let count = above(0, 4 * at, reach, leastSum, bound, foundAt)
      const found = words.subarray(foundAt / 2, foundAt / 2 + count)
      while (count > 0 && found[count - 1]! >= rows) count -= 1
      return { found: found.subarray(0, count), valueAt: (row) => words[row]! * inverses[at + row]! }
    },
    bytes: () => memory.buffer.byteLength,
  }
}
