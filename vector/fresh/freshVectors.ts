import { dimensions } from '../embed/featureVector.ts'
import type { RowKey } from '../rows/rowSchema.ts'

/** Rows of a chunk: its columns fit a core's cache while they are summed. */
const chunkRows = 4096
/** Components of a vector of length 1 as whole numbers: closeness is off by less than 0.01, and whoever reads the rows makes it exact. */
const scale = 127

type Chunk = {
  /** LanceDB's row ids. */
  readonly places: number[]
  /** Block of each row, ascending. */
  readonly blocks: number[]
  /** Component after component, each of all rows: a question has few of them, and skips the others. */
  readonly columns: Int8Array
}

/** Vectors of the newest rows, in the order of their blocks, for a search that looks at all of them. */
export type FreshVectors = {
  readonly size: () => number
  /** Block of the newest row; -1 without any. */
  newest(): number
  /** Blocks must not descend. Vectors are of length 1. */
  add(place: number, block: bigint, vector: Float32Array): void
  /** Takes back the rows of blocks from `lowest` on. */
  cut(lowest: bigint): void
  /** Lets go of rows of blocks up to `upTo`; some of them may stay. */
  forget(upTo: bigint): void
  clear(): void
  /**
   * The places of the rows about nearest to a vector of length 1, nearest first; of many as near the newest.
   * @param among places that are looked at; all where it is undefined
   */
  nearest(vector: Float32Array, limit: number, among?: ReadonlySet<RowKey>): readonly number[]
}

/** 144 bytes a row. */
export function createFreshVectors(): FreshVectors {
  let chunks: Chunk[] = []
  let size = 0

  return {
    size: () => size,
    newest: () => chunks.at(-1)?.blocks.at(-1) ?? -1,
    add(place, block, vector) {
      let chunk = chunks.at(-1)
      if (!chunk || chunk.places.length === chunkRows) {
        chunk = { places: [], blocks: [], columns: new Int8Array(dimensions * chunkRows) }
        chunks.push(chunk)
      }
      const row = chunk.places.length
      for (let at = 0; at < dimensions; at += 1)
        chunk.columns[at * chunkRows + row] = Math.round(vector[at]! * scale)
      chunk.places.push(place)
      chunk.blocks.push(Number(block))
      size += 1
    },
    cut(lowest) {
      while (chunks.length > 0) {
        const { places, blocks } = chunks.at(-1)!
        while (blocks.length > 0 && blocks.at(-1)! >= lowest) {
          blocks.pop()
          places.pop()
          size -= 1
        }
        if (blocks.length > 0) return
        chunks.pop()
      }
    },
    forget(upTo) {
      chunks = chunks.filter(({ blocks }) => blocks.at(-1)! > upTo)
      size = chunks.reduce((sum, { places }) => sum + places.length, 0)
    },
    clear() {
      chunks = []
      size = 0
    },
    nearest(vector, limit, among) {
      const best = createBest(Math.min(limit, size))
      const sums = new Float32Array(chunkRows)
      for (const { places, columns } of chunks.toReversed()) {
        const rows = places.length
        sums.fill(0, 0, rows)
        for (let at = 0; at < dimensions; at += 1) {
          const weight = vector[at]!
          if (weight === 0) continue
          const start = at * chunkRows
          for (let row = 0; row < rows; row += 1) sums[row]! += weight * columns[start + row]!
        }
        let least = best.least()
        for (let row = rows - 1; row >= 0; row -= 1) {
          if (sums[row]! <= least || (among && !among.has(places[row]!))) continue
          best.add(sums[row]!, places[row]!)
          least = best.least()
        }
      }
      return best.places()
    },
  }
}

/** The places with the largest numbers: a heap with the least of them on top. */
function createBest(limit: number) {
  const values: number[] = []
  const places: number[] = []
  const swap = (a: number, b: number) => {
    ;[values[a], values[b]] = [values[b]!, values[a]!]
    ;[places[a], places[b]] = [places[b]!, places[a]!]
  }
  const rise = (from: number) => {
    let at = from
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (values[parent]! <= values[at]!) return
      swap(parent, at)
      at = parent
    }
  }
  const sink = () => {
    let at = 0
    for (;;) {
      let least = at
      for (const child of [2 * at + 1, 2 * at + 2])
        if (child < values.length && values[child]! < values[least]!) least = child
      if (least === at) return
      swap(least, at)
      at = least
    }
  }
  return {
    /** What has to be exceeded. */
    least: () => (values.length < limit ? Number.NEGATIVE_INFINITY : (values[0] ?? Number.POSITIVE_INFINITY)),
    add(value: number, place: number) {
      if (values.length < limit) {
        values.push(value)
        places.push(place)
        rise(values.length - 1)
        return
      }
      values[0] = value
      places[0] = place
      sink()
    },
    places: () =>
      places
        .map((place, at) => ({ place, value: values[at]! }))
        .sort((a, b) => b.value - a.value || a.place - b.place)
        .map(({ place }) => place),
  }
}
