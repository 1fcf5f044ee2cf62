import { embedPattern } from '../embed/embedPattern.ts'
import { dimensions } from '../embed/featureVector.ts'
import type { RowIndex } from '../rows/rowIndex.ts'
import type { RowKey } from '../rows/rowSchema.ts'
import type { PatternProfile } from '../types.ts'

/** 10 MB of vectors. The router keeps a few thousand patterns. */
const mostPatterns = 20_000

/** The vectors of all patterns, for a search that looks at each. */
export type PatternVectors = {
  /** The ids of the patterns nearest to a vector, nearest first; undefined where there are too many, and LanceDB is to be asked. */
  nearest(vector: Float32Array, limit: number): readonly string[] | undefined
  nearestAmong(vector: Float32Array, limit: number, ids: ReadonlySet<RowKey>): readonly string[] | undefined
  /** The ids of those that fulfil conditions; undefined where LanceDB is to be asked. */
  list(where: readonly string[]): ReadonlySet<RowKey> | undefined
  /** No index holds any. */
  isAll(): boolean
  applied(removed: readonly string[], upserted: readonly PatternProfile[]): void
}

export function createPatternVectors(rows: Pick<RowIndex, 'newest' | 'list'>): PatternVectors {
  /** Read with the first question. */
  let table: VectorTable | undefined

  return {
    nearest: (vector, limit) => nearestOf(vector, limit),
    nearestAmong: nearestOf,
    list(where) {
      return read().size() > mostPatterns ? undefined : new Set(rows.list('patterns', where, mostPatterns))
    },
    isAll: () => true,
    applied(removed, upserted) {
      if (!table) return
      for (const id of removed) table.remove(id)
      for (const pattern of upserted) table.set(pattern.id, embedPattern(pattern))
    },
  }

  function nearestOf(vector: Float32Array, limit: number, among?: ReadonlySet<RowKey>) {
    const { size, nearest } = read()
    return size() > mostPatterns ? undefined : nearest(vector, limit, among)
  }

  function read(): VectorTable {
    if (table) return table
    table = createVectorTable()
    for (const row of rows.newest('patterns', [], mostPatterns + 1))
      table.set(String(row.id), embedPattern(row as unknown as PatternProfile))
    return table
  }
}

type VectorTable = ReturnType<typeof createVectorTable>

/** Vectors of length 1 by id, one after another. */
function createVectorTable() {
  const ids: string[] = []
  const places = new Map<string, number>()
  let vectors = new Float32Array(dimensions * 256)

  return {
    size: () => ids.length,
    set(id: string, vector: Float32Array) {
      let place = places.get(id)
      if (place === undefined) {
        place = ids.length
        ids.push(id)
        places.set(id, place)
        if (ids.length * dimensions > vectors.length) {
          const grown = new Float32Array(vectors.length * 2)
          grown.set(vectors)
          vectors = grown
        }
      }
      vectors.set(vector, place * dimensions)
    },
    remove(id: string) {
      const place = places.get(id)
      if (place === undefined) return
      places.delete(id)
      const last = ids.pop()!
      if (last === id) return
      ids[place] = last
      places.set(last, place)
      vectors.copyWithin(place * dimensions, ids.length * dimensions, (ids.length + 1) * dimensions)
    },
    nearest(vector: Float32Array, limit: number, among?: ReadonlySet<RowKey>): readonly string[] {
      // A question has few components. No iterators: there are up to 20 000 rows.
      const components = Uint8Array.from([...vector.keys()].filter((at) => vector[at] !== 0))
      const products = new Float32Array(ids.length)
      for (let place = 0; place < ids.length; place += 1) {
        if (among && !among.has(ids[place]!)) {
          products[place] = Number.NEGATIVE_INFINITY
          continue
        }
        let product = 0
        for (let at = 0; at < components.length; at += 1) {
          const component = components[at]!
          product += vector[component]! * vectors[place * dimensions + component]!
        }
        products[place] = product
      }
      const least = products.toSorted()[Math.max(0, ids.length - limit)] ?? 0
      const near: { readonly id: string; readonly product: number }[] = []
      for (let place = 0; place < ids.length; place += 1) {
        const product = products[place]!
        if (product >= least && product > Number.NEGATIVE_INFINITY) near.push({ id: ids[place]!, product })
      }
      return near
        .sort((a, b) => b.product - a.product || (a.id < b.id ? -1 : 1))
        .slice(0, limit)
        .map(({ id }) => id)
    },
  }
}
