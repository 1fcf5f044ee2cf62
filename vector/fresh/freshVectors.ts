import { dimensions } from '../embed/featureVector.ts'

/** Rows of a chunk: its columns fit a core's cache while they are summed. */
const chunkRows = 4096
/** Components of a vector of length 1 as whole numbers: closeness is off by less than 0.01, and whoever reads the rows makes it exact. */
const scale = 127

type Chunk = {
  readonly ids: string[]
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
  add(id: string, block: bigint, vector: Float32Array): void
  /** Takes back the rows of blocks from `lowest` on. */
  cut(lowest: bigint): void
  /** Lets go of rows of blocks up to `upTo`; some of them may stay. */
  forget(upTo: bigint): void
  clear(): void
  /**
   * The ids of the rows about nearest to a vector of length 1, nearest first; of many as near the newest.
   * @param among rows that are looked at; all where it is undefined
   */
  nearest(vector: Float32Array, limit: number, among?: ReadonlySet<string>): readonly string[]
}

/** 128 bytes a row and its id. */
export function createFreshVectors(): FreshVectors {
  let chunks: Chunk[] = []
  let size = 0

  return {
    size: () => size,
    newest: () => chunks.at(-1)?.blocks.at(-1) ?? -1,
    add(id, block, vector) {
      let chunk = chunks.at(-1)
      if (!chunk || chunk.ids.length === chunkRows) {
        chunk = { ids: [], blocks: [], columns: new Int8Array(dimensions * chunkRows) }
        chunks.push(chunk)
      }
      const place = chunk.ids.length
      for (let at = 0; at < dimensions; at += 1)
        chunk.columns[at * chunkRows + place] = Math.round(vector[at]! * scale)
      chunk.ids.push(id)
      chunk.blocks.push(Number(block))
      size += 1
    },
    cut(lowest) {
      while (chunks.length > 0) {
        const { ids, blocks } = chunks.at(-1)!
        while (blocks.length > 0 && blocks.at(-1)! >= lowest) {
          blocks.pop()
          ids.pop()
          size -= 1
        }
        if (blocks.length > 0) return
        chunks.pop()
      }
    },
    forget(upTo) {
      chunks = chunks.filter(({ blocks }) => blocks.at(-1)! > upTo)
      size = chunks.reduce((sum, { ids }) => sum + ids.length, 0)
    },
    clear() {
      chunks = []
      size = 0
    },
    nearest(vector, limit, among) {
      const best = createBest(Math.min(limit, size))
      const sums = new Float32Array(chunkRows)
      for (const { ids, columns } of chunks.toReversed()) {
        const rows = ids.length
        sums.fill(0, 0, rows)
        for (let at = 0; at < dimensions; at += 1) {
          const weight = vector[at]!
          if (weight === 0) continue
          const start = at * chunkRows
          for (let row = 0; row < rows; row += 1) sums[row]! += weight * columns[start + row]!
        }
        let least = best.least()
        for (let row = rows - 1; row >= 0; row -= 1) {
          if (sums[row]! <= least || (among && !among.has(ids[row]!))) continue
          best.add(sums[row]!, ids[row]!)
          least = best.least()
        }
      }
      return best.ids()
    },
  }
}

/** The ids with the largest numbers: a heap with the least of them on top. */
function createBest(limit: number) {
  const values: number[] = []
  const ids: string[] = []
  const swap = (a: number, b: number) => {
    ;[values[a], values[b]] = [values[b]!, values[a]!]
    ;[ids[a], ids[b]] = [ids[b]!, ids[a]!]
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
    add(value: number, id: string) {
      if (values.length < limit) {
        values.push(value)
        ids.push(id)
        rise(values.length - 1)
        return
      }
      values[0] = value
      ids[0] = id
      sink()
    },
    ids: () =>
      ids
        .map((id, place) => ({ id, value: values[place]! }))
        .sort((a, b) => b.value - a.value || (a.id < b.id ? -1 : 1))
        .map(({ id }) => id),
  }
}
