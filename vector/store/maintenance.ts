import { setTimeout as delay } from 'node:timers/promises'
import type { Table } from '@lancedb/lancedb'
import type { Logger } from 'pino'
import type { MaintenanceEvent } from '../types.ts'
import { errorText } from './failure.ts'
import type { StoreTable } from './schema.ts'
import type { SerialQueue } from './serialQueue.ts'
import { TableJobEnded, type TableJobs } from './tableJobs.ts'

export type MaintenanceOptions = {
  readonly optimizeEvery: number
  readonly keepVersionsMs: number
  readonly indexAboveRows: number
  /** Whether questions are answered without the index: then it need not be the best there could be. */
  readonly isSpare: () => boolean
  /** Begins an indexing of all rows that there are; what is returned is told whether the index has them, or it came to nothing. */
  readonly indexing: () => (isIndexed: boolean) => void
}

/** Of the time that compaction may take: it keeps a core busy, the longer the larger the table. */
const share = 0.25
/** Of the time that building the index may take. */
const buildShare = 0.1
/** Writes waited for at most, however long a compaction takes: every one is a file more to search. */
const mostWrites = 200

/**
 * Whether to compact again.
 * @param writes since the last time
 * @param sinceMs since its end
 * @param tookMs how long it took
 */
export function isDue(optimizeEvery: number, writes: number, sinceMs: number, tookMs: number): boolean {
  if (writes < optimizeEvery) return false
  return sinceMs >= tookMs * (1 / share - 1) || writes >= Math.max(optimizeEvery, mostWrites)
}

/** How long what takes rows away waits for a compaction, at most: the longer the more of them were ended in a row, so that one comes to an end. */
export function patienceMs(endedInARow: number): number {
  return Math.min(1_000 * 2 ** endedInARow, 30_000)
}

/** Writes that wait to be compacted, as the files on disk tell. */
export async function readBacklog(tables: Readonly<Record<StoreTable, Table>>): Promise<number> {
  const stats = await Promise.all([tables.transactions.stats(), tables.patterns.stats()])
  return stats.reduce((sum, { fragmentStats }) => sum + Number(fragmentStats.numFragments), 0)
}

export type Maintenance = {
  /** Tells how many writes were made; starts what has become due and returns at once. */
  wrote(writes: number): void
  readonly lastOptimize: () => MaintenanceEvent | undefined
  /** True while an approximate index is being built. */
  readonly isBuilding: () => boolean
  /** True while an approximate index is being built, or tables are being compacted. */
  readonly isMaintaining: () => boolean
  /** Resolves once `transactions` is not being compacted: rows that go meanwhile would undo the work. What takes long is ended. */
  settled(): Promise<void>
  /** Nothing more is begun. Resolves once no job but the building of an index is under way. */
  stop(): Promise<void>
}

/**
 * Keeps the tables small and fast, outside the pipeline's sight. Compaction of `transactions`, which may take a minute at a million rows,
 * and the building of its approximate index run beside the writes, which append; only what takes rows away waits for compaction, or ends
 * it. The other tables are small and their rows replaced: their compaction takes its turn in the write queue. Failures are logged, reported
 * and tried again later; none reaches a writer.
 */
export function createMaintenance(
  tables: Readonly<Record<StoreTable, Table>>,
  queue: SerialQueue,
  backlog: number,
  options: MaintenanceOptions,
  deps: {
    readonly logger: Logger
    readonly onMaintenance: (event: MaintenanceEvent) => void
    /** What is done to `transactions`. */
    readonly jobs: TableJobs
    /** Compacts documents, in the same turn. */
    readonly optimizeDocuments: (cleanupOlderThan: Date) => Promise<void>
  },
): Maintenance {
  let writesSince = backlog
  let endedAt = 0
  let endedInARow = 0
  let optimizing: Promise<void> | undefined
  let compacting: Promise<unknown> = Promise.resolve()
  let building = false
  let builtAt = 0
  let tookToBuild = 0
  let stopped = false
  let checking: Promise<void> | undefined
  let last: MaintenanceEvent | undefined

  return {
    wrote(writes) {
      writesSince += writes
      const tookMs = (last?.seconds ?? 0) * 1000
      const isTime = isDue(options.optimizeEvery, writesSince, performance.now() - endedAt, tookMs)
      if (stopped || optimizing || !isTime) return
      writesSince = 0
      optimizing = optimizeAll().finally(() => {
        optimizing = undefined
        checking ??= checkVectorIndex().finally(() => {
          checking = undefined
        })
      })
    },
    lastOptimize: () => last,
    isBuilding: () => building,
    isMaintaining: () => building || optimizing !== undefined,
    async settled() {
      let isOver = false
      const over = compacting.then(() => {
        isOver = true
      })
      await Promise.race([over, delay(patienceMs(endedInARow), undefined, { ref: false })])
      if (!isOver) deps.jobs.end('compactions')
      await over
    },
    async stop() {
      stopped = true
      deps.jobs.end('all')
      await optimizing
      await queue.idle()
      await checking
    },
  }

  async function optimizeAll(): Promise<void> {
    last = await perform('optimize', async () => {
      const cleanupOlderThan = new Date(Date.now() - options.keepVersionsMs)
      const problems: string[] = []
      let ended: TableJobEnded | undefined
      // One table's trouble must not let the others grow.
      const attempt = async (name: StoreTable | 'documents', work: () => Promise<unknown>) => {
        await work().catch((cause: unknown) => {
          if (cause instanceof TableJobEnded) ended = cause
          else problems.push(`${name}: ${errorText(cause)}`)
        })
      }
      await queue.run(async () => {
        for (const name of ['patterns', 'progress'] as const)
          await attempt(name, () => tables[name].optimize({ cleanupOlderThan }))
        await attempt('documents', () => deps.optimizeDocuments(cleanupOlderThan))
        // Begun in the queue: no write that takes rows away is under way, and none is half done.
        const indexed = options.indexing()
        compacting = attempt('transactions', async () => {
          let isIndexed = false
          try {
            await deps.jobs.compact(cleanupOlderThan)
            isIndexed = await hasVectorIndex(tables.transactions)
          } finally {
            indexed(isIndexed)
          }
        })
      })
      await compacting
      endedInARow = ended ? endedInARow + 1 : 0
      if (problems.length > 0) throw new Error(problems.join('; '))
      if (ended) throw ended
    })
    endedAt = performance.now()
  }

  async function checkVectorIndex(): Promise<void> {
    if (building || stopped || performance.now() < builtAt + tookToBuild * (1 / buildShare - 1)) return
    const table = tables.transactions
    let rows = 0
    let present: readonly VectorIndex[] = []
    try {
      rows = await table.countRows()
      present = await vectorIndices(table)
      const isGood = present.some((index) => options.isSpare() || suits(index, rows))
      if (rows <= options.indexAboveRows || isGood || stopped) return
    } catch (cause) {
      deps.logger.warn({ error: errorText(cause) }, 'vector index check failed')
      return
    }
    building = true
    const numPartitions = Math.max(1, Math.round(Math.sqrt(rows)))
    // Of rows that are written: a write that is under way may still end.
    const indexed = await queue.run(async () => options.indexing())
    void perform('vectorIndex', async () => {
      let isIndexed = false
      try {
        const replaces = present.map(({ name }) => name)
        await deps.jobs.buildIndex({ name: `${indexName}${numPartitions}`, numPartitions, replaces })
        isIndexed = true
      } finally {
        indexed(isIndexed)
      }
    }).then(({ seconds }) => {
      building = false
      builtAt = performance.now()
      tookToBuild = seconds * 1000
    })
  }

  async function perform(job: MaintenanceEvent['job'], work: () => Promise<void>): Promise<MaintenanceEvent> {
    const started = performance.now()
    let error: string | undefined
    let wasEnded = false
    try {
      await work()
    } catch (cause) {
      error = errorText(cause)
      wasEnded = cause instanceof TableJobEnded
    }
    const seconds = (performance.now() - started) / 1000
    const event: MaintenanceEvent = { job, ok: error === undefined, error, seconds, atMs: Date.now() }
    if (error === undefined) deps.logger.debug(event, 'vector store maintained')
    else if (wasEnded) deps.logger.debug(event, 'vector store maintenance was ended')
    else deps.logger.warn(event, 'vector store maintenance failed')
    deps.onMaintenance(event)
    return event
  }
}

/** Before the number of partitions, which LanceDB tells of no index. */
const indexName = 'embedding_rq2_'

/** Most compactions add a segment to an index, which is searched by itself: 1 ms each. */
const mostSegments = 3

export type VectorIndex = { readonly name: string; readonly segments: number }

/**
 * Whether an index is as one that was built of these rows: it was built of half of them, and a question reads a number of its partitions,
 * which grow with the table. Of 1 000 000 rows, with three segments and partitions for 318 000, a search took 8.2 ms and 18.9 under conditions, and
 * 2.6 and 6.2 with a new index.
 */
export function suits({ name, segments }: VectorIndex, rows: number): boolean {
  const partitions = name.startsWith(indexName) ? Number(name.slice(indexName.length)) : 0
  return segments <= mostSegments && 2 * partitions ** 2 >= rows
}

/** The approximate indices of `transactions`: one, but while another is being put in its place. */
export async function vectorIndices(transactions: Table): Promise<readonly VectorIndex[]> {
  const all = await transactions.listIndices()
  return all
    .filter(({ columns }) => columns.includes('embedding'))
    .map(({ name, numSegments }) => ({ name, segments: numSegments ?? 1 }))
}

/** True when `transactions` has its approximate index. */
export async function hasVectorIndex(transactions: Table): Promise<boolean> {
  return (await vectorIndices(transactions)).length > 0
}
