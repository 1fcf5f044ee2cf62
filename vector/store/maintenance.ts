import { Index, type Table } from '@lancedb/lancedb'
import type { Logger } from 'pino'
import type { MaintenanceEvent } from '../types.ts'
import { errorText } from './failure.ts'
import type { StoreTable } from './schema.ts'
import type { SerialQueue } from './serialQueue.ts'
import type { SideMaintenance } from './sideMaintenance.ts'

export type MaintenanceOptions = {
  readonly optimizeEvery: number
  readonly keepVersionsMs: number
  readonly indexAboveRows: number
}

/** Rows for which one more write is waited for: compaction rewrites the table, and its share of each write stays the same. */
const rowsPerWrite = 5_000
/** Writes waited for at most, however large the table: every one is a file more to search. */
const mostWrites = 500

/** Writes between two compactions of tables with `rows` rows. */
export function writesBetween(optimizeEvery: number, rows: number): number {
  return Math.max(optimizeEvery, Math.min(optimizeEvery + Math.floor(rows / rowsPerWrite), mostWrites))
}

/** What is to be compacted: rows, and writes since the last time, as the files on disk tell. */
export type Backlog = { readonly rows: number; readonly writes: number }

export async function readBacklog(tables: Readonly<Record<StoreTable, Table>>): Promise<Backlog> {
  const stats = await Promise.all([tables.transactions.stats(), tables.patterns.stats()])
  return {
    rows: stats.reduce((sum, { numRows }) => sum + Number(numRows), 0),
    writes: stats.reduce((sum, { fragmentStats }) => sum + Number(fragmentStats.numFragments), 0),
  }
}

export type Maintenance = {
  /** Tells how many writes were made; starts what has become due and returns at once. */
  wrote(writes: number): void
  readonly lastOptimize: () => MaintenanceEvent | undefined
  /** True while an approximate index is being built. */
  readonly isBuilding: () => boolean
  /** Nothing more is begun. Resolves once no job but the building of an index is under way. */
  stop(): Promise<void>
}

/**
 * Keeps the tables small and fast, outside the pipeline's sight. Compaction rewrites the files that writes touch, so it
 * takes its turn in the write queue. Building the approximate index takes tens of seconds and only adds files: it
 * runs beside the writes, one at a time. Failures are logged, reported and tried again later; none reaches a writer.
 */
export function createMaintenance(
  tables: Readonly<Record<StoreTable, Table>>,
  queue: SerialQueue,
  opened: Backlog,
  options: MaintenanceOptions,
  deps: {
    readonly logger: Logger
    readonly onMaintenance: (event: MaintenanceEvent) => void
    /** Of the tables beside these, in the same turn. */
    readonly sides: Pick<SideMaintenance, 'optimize'>
  },
): Maintenance {
  let writesSince = opened.writes
  let due = writesBetween(options.optimizeEvery, opened.rows)
  let optimizing = false
  let building = false
  let stopped = false
  let checking: Promise<void> | undefined
  let last: MaintenanceEvent | undefined

  return {
    wrote(writes) {
      writesSince += writes
      if (stopped || optimizing || writesSince < due) return
      writesSince = 0
      optimizing = true
      void queue.run(optimizeAll).then(() => {
        optimizing = false
        checking ??= checkVectorIndex().finally(() => {
          checking = undefined
        })
      })
    },
    lastOptimize: () => last,
    isBuilding: () => building,
    async stop() {
      stopped = true
      await queue.idle()
      await checking
    },
  }

  async function optimizeAll(): Promise<void> {
    last = await perform('optimize', async () => {
      const cleanupOlderThan = new Date(Date.now() - options.keepVersionsMs)
      const problems: string[] = []
      // One table's trouble must not let the others grow.
      for (const [name, table] of Object.entries(tables)) {
        await table.optimize({ cleanupOlderThan }).catch((cause: unknown) => {
          problems.push(`${name}: ${errorText(cause)}`)
        })
      }
      problems.push(...(await deps.sides.optimize(cleanupOlderThan)))
      due = writesBetween(options.optimizeEvery, (await readBacklog(tables)).rows)
      if (problems.length > 0) throw new Error(problems.join('; '))
    })
  }

  async function checkVectorIndex(): Promise<void> {
    if (building || stopped) return
    const table = tables.transactions
    try {
      if ((await table.countRows()) <= options.indexAboveRows || (await hasVectorIndex(table)) || stopped)
        return
    } catch (cause) {
      deps.logger.warn({ error: errorText(cause) }, 'vector index check failed')
      return
    }
    building = true
    const config = Index.hnswSq({ distanceType: 'cosine', m: 16, efConstruction: 100 })
    void perform('vectorIndex', () => table.createIndex('embedding', { config })).finally(() => {
      building = false
    })
  }

  async function perform(job: MaintenanceEvent['job'], work: () => Promise<void>): Promise<MaintenanceEvent> {
    const started = performance.now()
    let error: string | undefined
    try {
      await work()
    } catch (cause) {
      error = errorText(cause)
    }
    const seconds = (performance.now() - started) / 1000
    const event: MaintenanceEvent = { job, ok: error === undefined, error, seconds, atMs: Date.now() }
    if (error === undefined) deps.logger.debug(event, 'vector store maintained')
    else deps.logger.warn(event, 'vector store maintenance failed')
    deps.onMaintenance(event)
    return event
  }
}

/** True when `transactions` has its approximate index. */
export async function hasVectorIndex(transactions: Table): Promise<boolean> {
  return (await transactions.listIndices()).some((index) => index.columns.includes('embedding'))
}
