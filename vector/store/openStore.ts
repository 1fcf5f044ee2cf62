import type { Logger } from 'pino'
import { reembedDocuments } from '../documents/reembedDocuments.ts'
import { createQuestionVectors } from '../embed/questionVectors.ts'
import { VectorStoreError } from '../errors.ts'
import { answerNeighbours } from '../graph/answerNeighbours.ts'
import { createTail } from '../graph/createTail.ts'
import type { GraphSources } from '../graph/graphReader.ts'
import { createHeldRows, type Held } from '../held/heldRows.ts'
import { createPatternVectors } from '../held/patternVectors.ts'
import { storedMemory } from '../memory/storedMemory.ts'
import { searchStore } from '../query/searchStore.ts'
import { isDamaged, openRows, rowsFile, setRowsAside } from '../rows/openRows.ts'
import type { RowIndex } from '../rows/rowIndex.ts'
import { createRowPlaces } from '../rows/rowPlaces.ts'
import { createRowWriter, type RowWriter } from '../rows/rowWriter.ts'
import type { VectorStoreSettings } from '../settings.ts'
import type { MaintenanceEvent, VectorStore } from '../types.ts'
import { createBranchWatch } from './branchWatch.ts'
import { createConsolidationSchedule } from './consolidationSchedule.ts'
import { executePlan } from './executePlan.ts'
import { errorText, storeOperation } from './failure.ts'
import { createGate } from './gate.ts'
import { createMaintenance, hasVectorIndex, readBacklog } from './maintenance.ts'
import { openParts, type SideParts } from './openParts.ts'
import { openTables, type StoreHandles } from './openTables.ts'
import { planWrites, type WritePlan } from './planWrites.ts'
import { type Progress, readProgress } from './progress.ts'
import { readPatterns } from './readPatterns.ts'
import { readStats } from './readStats.ts'
import { createSerialQueue } from './serialQueue.ts'
import { createStoredVectors } from './storedVectors.ts'
import { type TableJobs, tableJobsHere } from './tableJobs.ts'
import { upgradeTransactions } from './upgradeTransactions.ts'
import { warmIndices } from './warmIndices.ts'
import { lockForWriting, type WriterLock } from './writerLock.ts'

export type OpenStoreDependencies = {
  readonly logger: Logger
  readonly onMaintenance: (event: MaintenanceEvent) => void
  /** Who does the heavy work on `transactions`; this process where nobody is named. */
  readonly startTableJobs?: (
    directory: string,
    deps: { readonly logger: Logger; readonly follow: () => Promise<void> },
  ) => TableJobs
}

/** The store within this process. */
export type LocalStore = VectorStore & {
  /** Resident bytes of other processes that work for it now. */
  jobsRssBytes(): number
  /** True while the tables are being compacted or an index built, which are lost when the process ends. */
  isMaintaining(): boolean
  /** Bytes of vectors that are searched in memory. */
  heldBytes(): number
  /** Resolves once what questions use is in memory, or that came to nothing. */
  warm(): Promise<void>
  /** Ends all writing and lets another process write; questions go on being answered, from what there is. */
  retire(): Promise<void>
  /** True once nothing can be written any more until the folder is opened again. */
  mustReopen(): boolean
}

/** Opens the tables in this process; throws what `openVectorStore` says. */
export async function openStore(
  settings: VectorStoreSettings,
  deps: OpenStoreDependencies,
): Promise<LocalStore> {
  const { directory, readOnly } = settings
  await using opened = new AsyncDisposableStack()
  // Asked for before the tables are looked at, as a missing one is made.
  let lock: WriterLock | undefined
  if (!readOnly) {
    lock = await lockForWriting(directory)
    opened.defer(() => lock?.release())
    await upgradeTransactions(settings, deps)
  }
  const handles = await openTables(settings)
  const progress = await storeOperation('reading progress', directory, () =>
    readProgress(handles.tables.progress),
  )
  const backlog = await storeOperation('reading statistics', directory, () => readBacklog(handles.tables))
  const rows = await storeOperation('opening the row index', directory, () =>
    openRows(settings, handles.tables, progress, deps),
  )
  opened.defer(() => rows.close())
  const { chainId, epochBlocks, consolidationRows } = settings
  const writer = createRowWriter({
    file: rowsFile(directory),
    chainId,
    epochBlocks,
    batchRows: consolidationRows,
  })
  opened.defer(() => writer.close())
  const hasIndex = await storeOperation('reading indices', directory, () =>
    hasVectorIndex(handles.tables.transactions),
  )
  // A reader is not told of what is written.
  const held = readOnly
    ? undefined
    : {
        // Where that fails there are more rows to look through, when the folder is opened again.
        transactions: createHeldRows(rows, {
          hasIndex,
          most: settings.exactRows,
          setIndexed: (block) => void writer.setIndexed(block).catch(() => {}),
          stored: createStoredVectors(handles.tables.transactions),
        }),
        patterns: createPatternVectors(rows),
      }
  opened.defer(() => held?.transactions.stop())
  const parts = await storeOperation('opening side tables', directory, () =>
    openParts(settings, handles.connection, { rows }, deps),
  )
  deps.logger.info(
    { directory, asOf: progress.asOf && String(progress.asOf.number), readOnly },
    'vector store opened',
  )
  return createStore(
    settings,
    { ...handles, rows, writer, held, lock },
    parts,
    { progress, backlog },
    opened.move(),
    deps,
  )
}

function createStore(
  settings: VectorStoreSettings,
  {
    connection,
    tables,
    rows,
    writer,
    held,
    lock,
  }: StoreHandles & {
    readonly rows: RowIndex
    readonly writer: RowWriter
    readonly held: Held | undefined
    readonly lock: WriterLock | undefined
  },
  { documents, embedder, embedderOf }: SideParts,
  opened: { readonly progress: Progress; readonly backlog: number },
  lifetime: AsyncDisposableStack,
  { logger, onMaintenance: listener, startTableJobs }: OpenStoreDependencies,
): LocalStore {
  const { directory, chainId, readOnly, asyncConsolidation } = settings
  const queue = createSerialQueue()
  const gate = createGate(directory)
  const branches = createBranchWatch()
  const indexing = () => held?.transactions.indexing(progress.asOf?.number ?? -1n) ?? (() => undefined)
  const jobs = startTableJobs?.(directory, { logger, follow }) ?? tableJobsHere(tables.transactions)
  // Where nobody knows what the index has, the next compaction tells.
  const backlog = held?.transactions.isKnown() === false ? settings.optimizeEvery : opened.backlog
  const maintenance = createMaintenance(
    tables,
    queue,
    backlog,
    { ...settings, indexing, isSpare: () => isHeld() },
    {
      logger,
      onMaintenance,
      jobs,
      optimizeDocuments: documents.optimize,
    },
  )
  const schedule = createConsolidationSchedule(
    queue,
    { graph: rows.graph, epochBlocks: settings.epochBlocks },
    { writer, logger, onMaintenance },
  )
  const reads = new Set<Promise<unknown>>()
  const warmings = new Set<Promise<unknown>>()
  const retired = new AbortController()
  const closed = new AbortController()
  const { questionTimeoutMs = 2_000 } = settings.embedder.kind === 'http' ? settings.embedder : {}
  const embed = createQuestionVectors(embedderOf, { waitMs: questionTimeoutMs, signal: closed.signal })
  let embedderProblem: string | undefined
  let progress = opened.progress
  // Whoever wrote before may have been killed half-way.
  let mayHoldLater = true
  let mustReopen = false
  let closing: Promise<void> | undefined
  const problems = [rows.problem, documents.problem].filter((problem) => problem !== undefined)
  const tail = createTail(rows, !readOnly)
  const places = createRowPlaces(tables.transactions)
  const graph: GraphSources = { tail, rows: rows.graph }
  const reembedding = readOnly
    ? Promise.resolve()
    : reembedDocuments(documents, embedder, {
        exclusive: queue.run,
        signal: retired.signal,
        logger,
        onMaintenance,
        onProblem(problem) {
          embedderProblem = problem
        },
      })
  if (!readOnly && asyncConsolidation) schedule.applied(progress.asOf?.number)
  if (!readOnly) void readIndices()

  return {
    async apply(entries) {
      checkWritable('nothing was written')
      const plan = planWrites(entries, chainId)
      const writes = await queue.run(() =>
        storeOperation('applying entries', directory, () => carryOut(plan).catch(abandonDamaged)),
      )
      maintenance.wrote(writes)
      if (asyncConsolidation) schedule.applied(progress.asOf?.number)
    },

    async patternsAt(boundary) {
      checkOpen()
      // In the queue: never between the two halves of an apply.
      return queue.run(() =>
        storeOperation('reading patterns', directory, () => readPatterns(tables.patterns, boundary)),
      )
    },

    async search(request) {
      const sources = {
        tables,
        rows,
        held,
        documents,
        graph,
        embed,
        problems,
      }
      return ask('searching', async () => searchStore(sources, request, await currentProgress()))
    },

    async neighbours(request) {
      return ask('looking for neighbours', async () =>
        answerNeighbours({ tables, graph, documents, problems }, request, await currentProgress()),
      )
    },

    async addDocument(document) {
      checkWritable('no document was added')
      const added = await read('adding a document', () =>
        documents.add(document, {
          exclusive: queue.run,
          asOf: () => progress.asOf?.number,
          signal: retired.signal,
        }),
      )
      if (added.isNew) noteDocuments()
      return added
    },

    async documents() {
      return read('listing documents', () => documents.list())
    },

    async removeDocument(id) {
      checkWritable('no document was removed')
      const removed = await queue.run(() =>
        storeOperation('removing a document', directory, () => documents.remove(id)),
      )
      noteDocuments()
      return removed
    },

    async callNames(calls) {
      return read('reading names', async () => {
        const names = documents.names()
        return calls.map(({ contract, selector }) => names.callName(contract, selector))
      })
    },

    async stats() {
      return read('reading statistics', async () =>
        readStats({
          directory,
          tables,
          rows,
          documents,
          progress: await currentProgress(),
          consolidatedTo: rows.graph.reached(),
          embedder: { wanted: embedder.id, problem: embedderProblem },
          lastOptimize: maintenance.lastOptimize(),
        }),
      )
    },

    rssBytes: () => 0,
    jobsRssBytes: () => jobs.rssBytes(),
    isMaintaining: maintenance.isMaintaining,
    mustReopen: () => mustReopen,
    heldBytes: () => (held ? held.transactions.bytes() + held.patterns.bytes() : 0),
    async warm() {
      await Promise.all([held?.transactions.loaded, readIndices()])
    },
    retire,
    close,
    [Symbol.asyncDispose]: close,
  }

  /** Takes over what another process has made of `transactions`. Resolves once nobody reads it as it was. */
  async function follow(): Promise<void> {
    await readIndices()
    await tables.transactions.checkoutLatest()
    await Promise.allSettled([...reads])
  }

  /** Whether all rows are searched in memory. */
  function isHeld(): boolean {
    return held?.transactions.vectors() !== undefined && held.transactions.isAll()
  }

  async function readIndices(): Promise<void> {
    if (isHeld()) return
    const warming = warmIndices(connection).catch((cause: unknown) => {
      logger.debug({ directory, error: errorText(cause) }, 'indices were not read ahead')
    })
    const settled = warming.finally(() => warmings.delete(settled))
    warmings.add(settled)
    await settled
  }

  /** Writes a plan, and what follows from it; returns how many batches the tables of the pipeline got. */
  async function carryOut(plan: WritePlan): Promise<number> {
    const options = { ...settings, mayHoldLater }
    mayHoldLater = true
    const { lowest } = plan
    const isUndo = lowest !== undefined && progress.asOf !== undefined && lowest <= progress.asOf.number
    if (isUndo || options.mayHoldLater) await maintenance.settled()
    const write = () =>
      // Taken over step by step: a write that fails half-way leaves what the disk says.
      executePlan({ tables, places, writer, held: held! }, plan, progress, options, (next) => {
        progress = next
      })
    const forget = (from: bigint) => {
      tail.cut(from)
      schedule.forget()
    }
    // Before, for what is asked from now on; after, for what was read meanwhile.
    if (isUndo) forget(lowest)
    const writes = await (isUndo ? branches.leave(write).finally(() => forget(lowest)) : write())
    mayHoldLater = false
    if (plan.upsertFindings.length > 0) rows.texts.add('memories', plan.upsertFindings.map(storedMemory))
    if (!asyncConsolidation) await schedule.catchUp(progress.asOf?.number)
    return writes
  }

  /** The tables have what the row index is made of. */
  function abandonDamaged(cause: unknown): never {
    if (!isDamaged(cause)) throw cause
    mustReopen = true
    setRowsAside(directory)
    throw new VectorStoreError(
      'STORE_FAILED',
      `vector store: the row index ${rowsFile(directory)} is damaged (${errorText(cause)}). It was set aside, and is made anew from the ` +
        'tables when the folder is opened again.',
      { cause, facts: { file: rowsFile(directory) } },
    )
  }

  function noteDocuments(): void {
    maintenance.wrote(1)
  }

  function close(): Promise<void> {
    closing ??= closeAll()
    return closing
  }

  async function retire(): Promise<void> {
    schedule.stop()
    retired.abort(closedError())
    await maintenance.stop()
    await reembedding
    await writer.close()
    lock?.release()
  }

  async function closeAll(): Promise<void> {
    closed.abort(closedError())
    const stopping = held?.transactions.stop()
    await retire()
    await Promise.allSettled([...reads, ...warmings, stopping, held?.transactions.loaded])
    // LanceDB refuses to close a table in use. An index being built holds its table for up to minutes: not worth a wait, it
    // is dropped unfinished when the process ends.
    for (const [name, table] of Object.entries(tables))
      if (name !== 'transactions' || !maintenance.isBuilding()) table.close()
    documents.close()
    connection.close()
    await lifetime.disposeAsync()
  }

  /** A question of a person, in its turn, answered from one branch of the chain. */
  function ask<T>(doing: string, run: () => Promise<T>): Promise<T> {
    return read(doing, () => gate.pass(() => branches.within(run)))
  }

  function read<T>(doing: string, run: () => Promise<T>): Promise<T> {
    checkOpen()
    const result = storeOperation(doing, directory, run)
    const settled = result.finally(() => reads.delete(settled))
    reads.add(settled)
    return settled
  }

  function checkOpen(): void {
    if (closing) throw closedError()
  }

  function closedError(): VectorStoreError {
    return new VectorStoreError('CLOSED', `vector store: ${directory} is closed`)
  }

  /** Whoever listens must not disturb the work. */
  function onMaintenance(event: MaintenanceEvent): void {
    try {
      listener(event)
    } catch (cause) {
      logger.error({ error: errorText(cause) }, 'listener of vector store maintenance failed')
    }
  }

  function checkWritable(otherwise: string): void {
    checkOpen()
    if (retired.signal.aborted) throw closedError()
    if (readOnly) {
      throw new VectorStoreError(
        'READ_ONLY',
        `vector store: ${directory} is open for reading only: ${otherwise}`,
      )
    }
  }

  /** A reader asks the disk, where another process writes; the writer knows. */
  async function currentProgress(): Promise<Progress> {
    if (readOnly)
      progress = await storeOperation('reading progress', directory, () => readProgress(tables.progress))
    return progress
  }
}
