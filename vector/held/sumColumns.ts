import { readFileSync } from 'node:fs'
import { dimensions } from '../embed/featureVector.ts'

/** Rows of a chunk: the sums of one, and a column of it, fit a core's cache. */
export const chunkRows = 8192
/** More than the rows: columns that were a power of two apart would share the lines of the cache that a row is written to. */
const columnBytes = chunkRows + 64
/** After the columns of a chunk: the inverses of its rows, four bytes each, their sums, two bytes each, and their tags, one byte each. */
const inversesAt = dimensions * columnBytes
const sumsAt = inversesAt + 4 * chunkRows
const tagsAt = sumsAt + 2 * chunkRows
const chunkBytes = tagsAt + chunkRows
const pageBytes = 65_536
/**
 * Before the chunks: the sums of one, and what was found in it, two bytes a row each; which tags are looked for; the question of this thread's
 * own; and the work that threads share: how many of its chunks are left to begin, and how many are done; what tells that there is one; its
 * question, where that ends, and its chunks, each with the number of its rows.
 */
const scratchBytes = pageBytes
export const foundAt = 2 * chunkRows
export const tableAt = foundAt + 2 * chunkRows
const ownQuestionAt = tableAt + 64
const leftAt = ownQuestionAt + 8 * dimensions
const doneAt = leftAt + 64
const toldAt = doneAt + 64
const questionEndAt = toldAt + 64
const questionAt = questionEndAt + 4
const workAt = questionAt + 8 * dimensions
/** Of one work: 24 000 000 rows. */
const mostChunks = Math.floor((scratchBytes - workAt) / 8)
/** Tags that a table tells of. */
export const tableTags = 16
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
  /** Leaves the sums of a chunk's rows at `sums`: of a question, from one address to another, and the columns. */
  sum(question: number, end: number, columns: number, columnBytes: number, sums: number, rows: number): void
  /**
   * Writes the rows whose sums times their inverses are above `least`, none of which has a sum up to `leastSum`, and returns how many there are.
   * @param all 255 where the tags of the table are not asked for, else 0
   */
  above(
    sums: number,
    inverses: number,
    rows: number,
    leastSum: number,
    least: number,
    found: number,
    tags: number,
    table: number,
    all: 0 | 255,
  ): number
}

/** What vectors are compared with: components that are not 0, each followed by its weight; so many that they go by four, of the last some may weigh 0. */
export type ScanQuestion = Int32Array

/** Sums over chunks of columns in a memory that threads share. */
export type ColumnSums = {
  readonly above: Scan['above']
  /** Takes the sums of a chunk's rows, and leaves them at `at`. */
  take(question: ScanQuestion, chunk: number, rows: number, at: number): void
  /** Whether so many can be of one work. */
  isRoomFor(chunks: number): boolean
  /** Tells the threads of a work, the only one until it is done. */
  begin(question: ScanQuestion, chunks: readonly { readonly columns: number; readonly rows: number }[]): void
  /** Takes the sums of a chunk of the work that no thread has begun, and leaves them with the chunk; false when there is none. */
  takeNext(): boolean
  /** How many chunks of it are done. */
  done(): number
  /** Leaves the work as it is: no other chunk of it is begun. */
  cancel(): void
  /** Takes part in every work; never returns. */
  takeAll(): never
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
export const tagsOf = (chunk: number) => startOf(chunk) + tagsAt
/** Sixteen at a time: some of the last may be of nobody. */
export const reachOf = (rows: number) => (rows + 15) & ~15

export function createColumnSums(memory: WasmMemory): ColumnSums {
  const { exports } = new WebAssembly.Instance(module, { columns: { memory } })
  const { sum, above } = exports as Scan
  // Never moves, though the memory grows.
  const scratch = new Int32Array(memory.buffer, 0, scratchBytes / 4)

  return {
    above,
    take(question, chunk, rows, at) {
      const end = write(question, ownQuestionAt)
      sum(ownQuestionAt, end, startOf(chunk), columnBytes, at, reachOf(rows))
    },
    isRoomFor: (chunks) => chunks <= mostChunks,
    begin(question, chunks) {
      scratch[questionEndAt / 4] = write(question, questionAt)
      for (const [at, { columns, rows }] of chunks.entries())
        scratch.set([columns, rows], workAt / 4 + 2 * at)
      Atomics.store(scratch, doneAt / 4, 0)
      // From here on: whoever takes a chunk reads what is written above.
      Atomics.store(scratch, leftAt / 4, chunks.length)
      Atomics.add(scratch, toldAt / 4, 1)
      Atomics.notify(scratch, toldAt / 4)
    },
    takeNext,
    done: () => Atomics.load(scratch, doneAt / 4),
    cancel() {
      Atomics.store(scratch, leftAt / 4, 0)
    },
    takeAll() {
      for (;;) {
        const told = Atomics.load(scratch, toldAt / 4)
        while (takeNext());
        Atomics.wait(scratch, toldAt / 4, told)
      }
    },
  }

  function takeNext(): boolean {
    for (;;) {
      const left = Atomics.load(scratch, leftAt / 4)
      if (left === 0) return false
      // Whatever was left before it was read: the one taken is of the work there is, which is not done without it.
      if (Atomics.compareExchange(scratch, leftAt / 4, left, left - 1) !== left) continue
      const at = workAt / 4 + 2 * (left - 1)
      const [chunk, rows] = [scratch[at]!, scratch[at + 1]!]
      sum(questionAt, scratch[questionEndAt / 4]!, startOf(chunk), columnBytes, sumsOf(chunk), reachOf(rows))
      Atomics.add(scratch, doneAt / 4, 1)
      return true
    }
  }

  /** Returns where it ends. */
  function write(question: ScanQuestion, at: number): number {
    scratch.set(question, at / 4)
    return at + 4 * question.length
  }
}
