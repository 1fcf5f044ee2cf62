import { readFileSync } from 'node:fs'
import { dimensions } from '../embed/featureVector.ts'

/** Rows of a chunk: the sums of one, and a column of it, fit a core's cache. */
export const chunkRows = 8192
/** More than the rows: columns that were a power of two apart would share the lines of the cache that a row is written to. */
const columnBytes = chunkRows + 64
/** After the columns of a chunk: the inverses of its rows, four bytes each, and their sums, two bytes each. */
const inversesAt = dimensions * columnBytes
const sumsAt = inversesAt + 4 * chunkRows
const chunkBytes = sumsAt + 2 * chunkRows
const pageBytes = 65_536
/** Before the chunks: the sums of one, what was found in it, two bytes a row each, and how many chunks of a work were begun. */
const scratchBytes = pageBytes
export const foundAt = 2 * chunkRows
const begunAt = foundAt + 2 * chunkRows
/** All that 32 bits address. */
const mostPages = 65_536

/** What of them is used here; Node's types do not tell. */
export type WasmMemory = { readonly buffer: SharedArrayBuffer; grow(pages: number): number }
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown }
  readonly Memory: new (options: {
    readonly initial: number
    readonly maximum: number
    readonly shared: true
  }) => WasmMemory
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

/** What vectors are compared with: components that are not 0, each followed by its weight; so many that they go by four, of the last some may weigh 0. */
export type ScanQuestion = Int32Array

/** A question, and what it is compared with: chunks, and how many rows each has. */
export type SumWork = {
  readonly question: ScanQuestion
  readonly chunks: Int32Array
  readonly rows: Int32Array
}

/** Sums over chunks of columns in a memory that threads share. */
export type ColumnSums = {
  readonly above: Scan['above']
  /** Takes the sums of a chunk's rows, and leaves them at `at`. */
  take(question: ScanQuestion, chunk: number, rows: number, at: number): void
  /** Before threads take the sums of a work. */
  begin(): void
  /** Takes those of the next chunk of it that no thread has begun, and leaves them with the chunk; false when there is none. */
  takeNext(work: SumWork): boolean
}

export const createMemory = (): WasmMemory =>
  new WebAssembly.Memory({ initial: scratchBytes / pageBytes, maximum: mostPages, shared: true })

/** Makes room for so many chunks. Throws `RangeError` where there is no memory for them. */
export function makeRoom(memory: WasmMemory, chunks: number): void {
  const lacking = startOf(chunks) - memory.buffer.byteLength
  if (lacking > 0) memory.grow(Math.ceil(lacking / pageBytes))
}

export const startOf = (chunk: number) => scratchBytes + chunk * chunkBytes
export const columnOf = (chunk: number, component: number) => startOf(chunk) + component * columnBytes
export const inversesOf = (chunk: number) => startOf(chunk) + inversesAt
export const sumsOf = (chunk: number) => startOf(chunk) + sumsAt
/** Sixteen at a time: some of the last may be of nobody. */
export const reachOf = (rows: number) => (rows + 15) & ~15

export function createColumnSums(memory: WasmMemory): ColumnSums {
  const { exports } = new WebAssembly.Instance(module, { columns: { memory } })
  const { add, above } = exports as Scan
  // Never moves, though the memory grows.
  const begun = new Int32Array(memory.buffer, begunAt, 1)

  return {
    above,
    take,
    begin() {
      Atomics.store(begun, 0, 0)
    },
    takeNext({ question, chunks, rows }) {
      const at = Atomics.add(begun, 0, 1)
      const chunk = chunks[at]
      if (chunk === undefined) return false
      take(question, chunk, rows[at]!, sumsOf(chunk))
      return true
    },
  }

  function take(question: ScanQuestion, chunk: number, rows: number, at: number): void {
    const reach = reachOf(rows)
    // What was seen of the memory before it grew is no longer all of it.
    new Int16Array(memory.buffer, at, reach).fill(0)
    const column = (of: number) => columnOf(chunk, question[of]!)
    for (let of = 0; of < question.length; of += 8) {
      const columns = [column(of), column(of + 2), column(of + 4), column(of + 6)] as const
      add(...columns, question[of + 1]!, question[of + 3]!, question[of + 5]!, question[of + 7]!, at, reach)
    }
  }
}
