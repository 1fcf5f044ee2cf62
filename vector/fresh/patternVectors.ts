import { closeness } from '../embed/closeness.ts'
import { embedPattern } from '../embed/embedPattern.ts'
import type { RowIndex } from '../rows/rowIndex.ts'
import type { PatternProfile } from '../types.ts'

/** 10 MB of vectors. The router keeps a few thousand patterns. */
const mostPatterns = 20_000

/** The vectors of all patterns, for a search that looks at each. */
export type PatternVectors = {
  /** The ids of the patterns nearest to a vector, nearest first; undefined where there are too many, and LanceDB is to be asked. */
  nearest(vector: Float32Array, limit: number): readonly string[] | undefined
  /** No index holds any. */
  isAll(): boolean
  applied(removed: readonly string[], upserted: readonly PatternProfile[]): void
}

export function createPatternVectors(rows: Pick<RowIndex, 'newest'>): PatternVectors {
  /** Read with the first question. */
  let vectors: Map<string, Float32Array> | undefined

  return {
    nearest(vector, limit) {
      vectors ??= new Map(
        rows
          .newest('patterns', [], mostPatterns + 1)
          .map((row) => [String(row.id), embedPattern(row as unknown as PatternProfile)]),
      )
      if (vectors.size > mostPatterns) return undefined
      const near = [...vectors].map(([id, other]) => ({ id, product: closeness(vector, other) }))
      return near
        .sort((a, b) => b.product - a.product || (a.id < b.id ? -1 : 1))
        .slice(0, limit)
        .map(({ id }) => id)
    },
    isAll: () => true,
    applied(removed, upserted) {
      if (!vectors) return
      for (const id of removed) vectors.delete(id)
      for (const pattern of upserted) vectors.set(pattern.id, embedPattern(pattern))
    },
  }
}
