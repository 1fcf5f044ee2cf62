import type { PatternProfile, TransactionRow, VectorEntry } from '#vector'

/** What is in the vector store: both tables, by id. */
export type VectorRows = {
  readonly transactions: ReadonlyMap<string, TransactionRow>
  readonly patterns: ReadonlyMap<string, PatternProfile>
}

/** All of a vector store. Rows of blocks up to `finalized` are told as final. */
export type VectorContents = VectorRows & { readonly finalized: bigint | undefined }

/** The vector store's meaning in Maps: the same rows, without files, embeddings and search. */
export type MemoryRows = VectorContents & {
  /** One entry, at once. */
  applyOne(entry: VectorEntry): void
}

/** Makes empty tables. LanceDB takes 20 ms and more for what takes no time here, so most runs write to this. */
export function createMemoryRows(): MemoryRows {
  const transactions = new Map<string, TransactionRow>()
  const patterns = new Map<string, PatternProfile>()
  let finalized: bigint | undefined
  const change = ({ upsert, remove }: { upsert: readonly PatternProfile[]; remove: readonly string[] }) => {
    for (const id of remove) patterns.delete(id)
    for (const row of upsert) patterns.set(row.id, row)
  }
  return {
    transactions,
    patterns,
    get finalized() {
      return finalized
    },
    applyOne(entry) {
      switch (entry.kind) {
        case 'transactions':
          for (const row of entry.rows) transactions.set(row.id, row)
          break
        case 'patterns':
          change(entry)
          break
        case 'undo': {
          const gone = new Set(entry.blocks.map(({ hash }) => hash))
          for (const [id, row] of transactions)
            if (gone.has(row.blockHash as `0x${string}`)) transactions.delete(id)
          if (entry.patterns) change(entry.patterns)
          break
        }
        case 'finalized':
          if (finalized === undefined || entry.number > finalized) finalized = entry.number
          break
      }
    },
  }
}
