import { Index, type Table } from '@lancedb/lancedb'

export type IndexJob = {
  readonly name: string
  readonly numPartitions: number
  /** Indices that go once it is there. */
  readonly replaces: readonly string[]
}

/** The heavy work on `transactions`, beside its writes. Throws LanceDB's errors, and `TableJobEnded`. */
export type TableJobs = {
  /** Joins files, brings the indices up to date and drops versions that were superseded before a time. */
  compact(cleanupOlderThan: Date): Promise<void>
  buildIndex(job: IndexJob): Promise<void>
  /** Ends compactions that are under way, or all jobs, where that can be done: they fail with `TableJobEnded`. */
  end(which: 'compactions' | 'all'): void
  /** Resident bytes of processes that work for it now. */
  rssBytes(): number
}

/** A job was ended by whoever began it; nothing came of it. */
export class TableJobEnded extends Error {
  override readonly name = 'TableJobEnded'

  constructor() {
    super('it was ended, and is begun anew later')
  }
}

/** In this process, where it takes a share of the memory and of every core that questions could use. */
export function tableJobsHere(table: Table): TableJobs {
  return {
    async compact(cleanupOlderThan) {
      await table.optimize({ cleanupOlderThan })
    },
    buildIndex: (job) => buildIndex(table, job),
    end: () => undefined,
    rssBytes: () => 0,
  }
}

/** Two bits for each component of a vector: an index of a million rows is 64 MB and stays in memory, where exact vectors would be 512 MB. */
export async function buildIndex(table: Table, { name, numPartitions, replaces }: IndexJob): Promise<void> {
  const config = Index.ivfRq({ distanceType: 'cosine', numPartitions, maxIterations: 15, numBits: 2 })
  await table.createIndex('embedding', { config, name })
  for (const each of replaces) if (each !== name) await table.dropIndex(each)
}
