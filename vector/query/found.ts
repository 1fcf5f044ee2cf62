import type { Description, StoredRow } from './describeRow.ts'

/** Where items come from. */
export const searchTables = ['transactions', 'patterns', 'memories', 'documents', 'entities'] as const
export type SearchTable = (typeof searchTables)[number]

/** How a row was found: named by the question, near by its vector, by its words, beside what is named, or the newest that fits. */
export type Match = 'exact' | 'near' | 'words' | 'neighbour' | 'newest'

/** A row that may be part of the answer. */
export type Found = {
  readonly table: SearchTable
  /** Empty for a row that was not read yet. */
  readonly id: string
  /** LanceDB's row id of a transaction, by which it is known before it is read. */
  readonly place?: number | undefined
  readonly match: Match
  /** Cosine distance, where vectors were compared. */
  readonly distance?: number | undefined
  readonly bm25?: number | undefined
  /** The share of the question's words it has, where words were looked for. */
  readonly coverage?: number | undefined
  /** Whose vectors were compared, where they are not the row's own. */
  readonly embedder?: string | undefined
  /** Of the newest block it counts; undefined for what is of no block. */
  readonly writtenAt: bigint | undefined
  /** What it is about, where it is about one contract, or one call. */
  readonly contract?: string | undefined
  readonly sender?: string | undefined
  readonly selector?: string | undefined
  /** What two rows are compared by, to tell repetition: vectors of one length, or words. */
  readonly vector?: Float32Array | undefined
  readonly words?: ReadonlySet<string> | undefined
  /** Undefined for a row that was not read yet. */
  readonly content?: { readonly row: StoredRow } | { readonly description: Description }
}

export type ReadFound = Found & Required<Pick<Found, 'content'>>

/** Rows of one way of looking, the best first. */
export type RankedList = {
  readonly leg: 'exact' | 'meant' | 'vector' | 'text' | 'graph' | 'newest'
  readonly found: readonly Found[]
}
