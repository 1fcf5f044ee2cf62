import type { Logger } from 'pino'
import { VectorStoreError } from '../errors.ts'
import { searchTables } from '../query/searchTables.ts'
import type { VectorStoreSettings } from '../settings.ts'
import type { MaintenanceEvent, VectorStore } from '../types.ts'
import { executePlan } from './executePlan.ts'
import { storeOperation } from './failure.ts'
import { type Backlog, createMaintenance, readBacklog } from './maintenance.ts'
import { openTables, type StoreHandles } from './openTables.ts'
import { planWrites } from './planWrites.ts'
import { type Progress, readProgress } from './progress.ts'
import { readPatterns } from './readPatterns.ts'
import { readStats } from './readStats.ts'
import { createSerialQueue } from './serialQueue.ts'
import { lockForWriting } from './writerLock.ts'

export type OpenStoreDependencies = {
  readonly logger: Logger
  readonly onMaintenance: (event: MaintenanceEvent) => void
}

/** The store within this process. */
export type LocalStore = VectorStore & {
  /** True while an approximate index is being built: it is lost when the process ends. */
  isBuilding(): boolean
}

/** Opens the tables in this process; throws what `openVectorStore` says. */
export async function openStore(
  settings: VectorStoreSettings,
  deps: OpenStoreDependencies,
): Promise<LocalStore> {
  const { directory, readOnly } = settings
  await using opened = new AsyncDisposableStack()
  // Asked for before the tables are looked at, as a missing one is made.
  if (!readOnly) {
    const lock = await lockForWriting(directory)
    opened.defer(() => lock.release())
  }
  const handles = await openTables(settings)
  const progress = await storeOperation('reading progress', directory, () =>
    readProgress(handles.tables.progress),
  )
  const backlog = await storeOperation('reading statistics', directory, () => readBacklog(handles.tables))
  deps.logger.info(
    { directory, asOf: progress.asOf && String(progress.asOf.number), readOnly },
    'vector store opened',
  )
  return createStore(settings, handles, { progress, backlog }, opened.move(), deps)
}

function createStore(
  settings: VectorStoreSettings,
  { connection, tables }: StoreHandles,
  opened: { readonly progress: Progress; readonly backlog: Backlog },
  lifetime: AsyncDisposableStack,
  { logger, onMaintenance }: OpenStoreDependencies,
): LocalStore {
  const { directory, chainId, readOnly } = settings
  const queue = createSerialQueue()
  const maintenance = createMaintenance(tables, queue, opened.backlog, settings, { logger, onMaintenance })
  const reads = new Set<Promise<unknown>>()
  let progress = opened.progress
  // Whoever wrote before may have been killed half-way.
  let mayHoldLater = true
  let closing: Promise<void> | undefined

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
        storeOperation('applying entries', directory, async () => {
          const options = { ...settings, mayHoldLater }
          mayHoldLater = true
          // Taken over step by step: a write that fails half-way leaves what the disk says.
          const writes = await executePlan(tables, plan, progress, options, (next) => {
            progress = next
          })
          mayHoldLater = false
          return writes
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

    rssBytes: () => 0,
    isBuilding: maintenance.isBuilding,
    close,
    [Symbol.asyncDispose]: close,
  }

  function close(): Promise<void> {
    closing ??= closeAll()
    return closing
  }

  async function closeAll(): Promise<void> {
    await maintenance.stop()
    await Promise.allSettled(reads)
    // LanceDB refuses to close a table in use. An index being built holds its table for up to minutes: not worth a wait, it
    // is dropped unfinished when the process ends.
    for (const [name, table] of Object.entries(tables))
      if (name !== 'transactions' || !maintenance.isBuilding()) table.close()
    connection.close()
    await lifetime.disposeAsync()
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
