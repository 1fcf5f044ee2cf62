import { embedPattern } from '../embed/embedPattern.ts'
import { dimensions } from '../embed/featureVector.ts'
import type { RowIndex } from '../rows/rowIndex.ts'
import type { RowKey } from '../rows/rowSchema.ts'
import type { PatternProfile } from '../types.ts'

/** 10 MB of vectors. The router keeps a few thousand patterns. */
const mostPatterns = 20_000

/** What is known of a pattern that was not read, and the cosine of its vector and another. */
export type NearPattern = KnownPattern & { readonly vector: Float32Array; readonly closeness: number }

type KnownPattern = Pick<PatternProfile, 'id' | 'boundary'>

/** The vectors of all patterns, for a search that looks at each. */
export type PatternVectors = {
  /** The patterns nearest to a vector, nearest first; undefined where there are too many, and LanceDB is to be asked. */
  nearest(vector: Float32Array, limit: number): readonly NearPattern[] | undefined
  nearestAmong(
    vector: Float32Array,
    limit: number,
    ids: ReadonlySet<RowKey>,
  ): readonly NearPattern[] | undefined
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
      for (const pattern of upserted) table.set(pattern)
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
      table.set(row as unknown as PatternProfile)
    return table
  }
}

type VectorTable = ReturnType<typeof createVectorTable>

/** Vectors of length 1, one after another. */
function createVectorTable() {
  const patterns: KnownPattern[] = []
  const places = new Map<string, number>()
  let vectors = new Float32Array(dimensions * 256)

  return {
    size: () => patterns.length,
    set(pattern: PatternProfile) {
      const { id, boundary } = pattern
      let place = places.get(id)
      if (place === undefined) {
        place = patterns.length
        places.set(id, place)
        if ((place + 1) * dimensions > vectors.length) {
          const grown = new Float32Array(vectors.length * 2)
          grown.set(vectors)
          vectors = grown
        }
      }
      patterns[place] = { id, boundary }
      vectors.set(embedPattern(pattern), place * dimensions)
    },
    remove(id: string) {
      const place = places.get(id)
      if (place === undefined) return
      places.delete(id)
      const last = patterns.pop()!
      if (last.id === id) return
      patterns[place] = last
      places.set(last.id, place)
      vectors.copyWithin(place * dimensions, patterns.length * dimensions, (patterns.length + 1) * dimensions)
    },
    nearest(vector: Float32Array, limit: number, among?: ReadonlySet<RowKey>): readonly NearPattern[] {
      // A question has few components. No iterators: there are up to 20 000 rows.
      const components = Uint8Array.from([...vector.keys()].filter((at) => vector[at] !== 0))
      const products = new Float32Array(patterns.length)
      for (let place = 0; place < patterns.length; place += 1) {
        if (among && !among.has(patterns[place]!.id)) {
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
      const least = products.toSorted()[Math.max(0, patterns.length - limit)] ?? 0
      const near: number[] = []
      for (let place = 0; place < patterns.length; place += 1)
        if (products[place]! >= least && products[place]! > Number.NEGATIVE_INFINITY) near.push(place)
      return near
        .sort((a, b) => products[b]! - products[a]! || (patterns[a]!.id < patterns[b]!.id ? -1 : 1))
        .slice(0, limit)
        .map((place) => ({
          ...patterns[place]!,
          vector: vectors.slice(place * dimensions, (place + 1) * dimensions),
          closeness: products[place]!,
        }))
    },
  }
}
