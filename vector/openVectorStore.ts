import type { Logger } from 'pino'
import { VectorStoreError } from './errors.ts'
import { searchTables } from './query/searchTables.ts'
import { executePlan } from './store/executePlan.ts'
import { storeOperation } from './store/failure.ts'
import { createMaintenance } from './store/maintenance.ts'
import { openTables } from './store/openTables.ts'
import { planWrites } from './store/planWrites.ts'
import { type Progress, readProgress } from './store/progress.ts'
import { readPatterns } from './store/readPatterns.ts'
import { readStats } from './store/readStats.ts'
import { createSerialQueue } from './store/serialQueue.ts'
import type { MaintenanceEvent, VectorStore, VectorStoreOptions } from './types.ts'

export type VectorStoreDependencies = {
  readonly logger: Logger
  /** Told of every background job, failed ones included: for metrics. */
  readonly onMaintenance?: ((event: MaintenanceEvent) => void) | undefined
}

/**
 * Opens the retrieval memory in a folder, making it where there is none. Throws `VectorStoreError`: `INVALID_OPTIONS`,
 * `STORE_MISSING`, `TABLE_MISSING`, `STORE_MISMATCH`, `STORE_DAMAGED`, `STORE_FAILED`.
 *
 * ```ts
 * await using store = await openVectorStore({ directory, chainId: 1n, ... }, { logger })
 * await store.apply([{ kind: 'transactions', block, rows }])
 * const answer = await store.search({ query: 'failed swaps to:0x…', limit: 10, tokens: 2000 })
 * ```
 */
export async function openVectorStore(
  options: VectorStoreOptions,
  deps: VectorStoreDependencies,
): Promise<VectorStore> {
  const settings = withDefaults(options)
  const { directory, chainId, readOnly } = settings
  const { connection, tables } = await openTables(settings)
  const queue = createSerialQueue()
  const maintenance = createMaintenance(tables, queue, settings, {
    logger: deps.logger,
    onMaintenance: deps.onMaintenance ?? (() => undefined),
  })
  let progress: Progress = await storeOperation('reading progress', directory, () =>
    readProgress(tables.progress),
  )
  let closing: Promise<void> | undefined
  const reads = new Set<Promise<unknown>>()
  deps.logger.info(
    { directory, asOf: progress.asOf && String(progress.asOf.number), readOnly },
    'vector store opened',
  )

  return {
    async apply(entries) {
      checkOpen()
      if (readOnly) {
        throw new VectorStoreError(
          'READ_ONLY',
          `vector store: ${directory} is open for reading only: nothing was written`,
        )
      }
      const plan = planWrites(entries, chainId)
      const writes = await queue.run(() =>
        storeOperation('applying entries', directory, () => {
          // Taken over step by step: a write that fails half-way leaves what the disk says.
          return executePlan(tables, plan, progress, settings, (next) => {
            progress = next
          })
        }),
      )
      maintenance.wrote(writes)
    },

    async patternsAt(boundary) {
      checkOpen()
      // In the queue: never between the two halves of an apply.
      return queue.run(() =>
        storeOperation('reading patterns', directory, () => readPatterns(tables.patterns, boundary)),
      )
    },

    async search(request) {
      return read('searching', async () => searchTables(tables, request, await currentProgress()))
    },

    async stats() {
      return read('reading statistics', async () =>
        readStats(directory, tables, await currentProgress(), maintenance.lastOptimize()),
      )
    },

    close,
    [Symbol.asyncDispose]: close,
  }

  function close(): Promise<void> {
    closing ??= closeAll()
    return closing
  }

  async function closeAll(): Promise<void> {
    const building = await maintenance.stop()
    await Promise.allSettled(reads)
    // LanceDB refuses to close a table in use. An index being built holds its table for up to minutes: not worth a wait, it
    // is dropped unfinished when the process ends.
    for (const [name, table] of Object.entries(tables))
      if (name !== 'transactions' || !building) table.close()
    connection.close()
  }

  function read<T>(doing: string, run: () => Promise<T>): Promise<T> {
    checkOpen()
    const result = storeOperation(doing, directory, run)
    const settled = result.finally(() => reads.delete(settled))
    reads.add(settled)
    return settled
  }

  function checkOpen(): void {
    if (closing) throw new VectorStoreError('CLOSED', `vector store: ${directory} is closed`)
  }

  /** A reader asks the disk, where another process writes; the writer knows. */
  async function currentProgress(): Promise<Progress> {
    if (readOnly)
      progress = await storeOperation('reading progress', directory, () => readProgress(tables.progress))
    return progress
  }
}

type Settings = Required<{ [K in keyof VectorStoreOptions]: Exclude<VectorStoreOptions[K], undefined> }>

function withDefaults(options: VectorStoreOptions): Settings {
  const settings = {
    ...options,
    rowsPerBatch: options.rowsPerBatch ?? 4000,
    keepVersionsMs: options.keepVersionsMs ?? 120_000,
    indexAboveRows: options.indexAboveRows ?? 50_000,
    readOnly: options.readOnly ?? false,
  }
  const wholes = ['indexCacheBytes', 'metadataCacheBytes', 'keepVersionsMs', 'indexAboveRows'] as const
  const counts = ['rowsPerBatch', 'optimizeEvery'] as const
  const problems = [
    ...wholes
      .filter((name) => !isInteger(settings[name], 0))
      .map((name) => `${name} as an integer from 0, got ${settings[name]}`),
    ...counts
      .filter((name) => !isInteger(settings[name], 1))
      .map((name) => `${name} as an integer from 1, got ${settings[name]}`),
    ...(settings.directory === '' ? ['a directory, got none'] : []),
  ]
  if (problems.length > 0) {
    throw new VectorStoreError('INVALID_OPTIONS', `vector store: expected ${problems.join('; ')}`)
  }
  return settings
}

function isInteger(value: number, least: number): boolean {
  return Number.isSafeInteger(value) && value >= least
}
