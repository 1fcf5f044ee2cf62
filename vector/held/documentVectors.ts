import type { Table } from '@lancedb/lancedb'
import type { TextRows } from '../rows/textRows.ts'

/** 8 MB of vectors of 512 components. */
const mostParts = 4_000

/** The vectors of documents, for a search that looks at each: LanceDB takes 10 ms for a hundred. */
export type DocumentVectors = {
  /**
   * Those of a table by id, of length 1; undefined where there are too many, and LanceDB is to be asked. Read with the first question after
   * a change. Throws what LanceDB throws.
   */
  of(table: Table): Promise<ReadonlyMap<string, Float32Array> | undefined>
}

type Kept = {
  readonly table: string
  readonly version: number
  readonly vectors: Promise<ReadonlyMap<string, Float32Array> | undefined>
}

export function createDocumentVectors(
  texts: Pick<TextRows, 'documentsVersion' | 'count'>,
  most = mostParts,
): DocumentVectors {
  let kept: Kept | undefined

  return {
    async of(table) {
      // Before the vectors: what changes meanwhile is read once more.
      const version = texts.documentsVersion()
      if (kept?.table !== table.name || kept.version !== version) {
        const vectors = texts.count('documents') > most ? Promise.resolve(undefined) : readVectors(table)
        kept = { table: table.name, version, vectors }
      }
      const asked = kept
      try {
        return await asked.vectors
      } catch (error) {
        if (kept === asked) kept = undefined
        throw error
      }
    },
  }
}

async function readVectors(table: Table): Promise<ReadonlyMap<string, Float32Array>> {
  const rows: { id: string; embedding: Iterable<number> }[] = await table
    .query()
    .select(['id', 'embedding'])
    .toArray()
  return new Map(rows.map(({ id, embedding }) => [id, toUnitLength(Float32Array.from(embedding))]))
}

/** Those of other embedders are of any length. A vector of zeros stays as it is, and is near nothing. */
export function toUnitLength(vector: Float32Array): Float32Array {
  let squares = 0
  for (const value of vector) squares += value * value
  const length = Math.sqrt(squares)
  return length === 0 ? vector : vector.map((value) => value / length)
}
