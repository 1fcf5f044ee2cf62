import type { Logger } from 'pino'
import type { GraphRows } from '../rows/graphRows.ts'
import type { RowWriter } from '../rows/rowWriter.ts'
import type { MaintenanceEvent } from '../types.ts'
import { epochEnd } from './consolidation.ts'
import { errorText } from './failure.ts'
import type { SerialQueue } from './serialQueue.ts'

/** While writes come in, a batch that took so long is followed by this many times as long without one: a share of 4 %. */
const restPerWork = 24
/** First and longest wait after a failure. */
const retryMinMs = 1_000
const retryMaxMs = 60_000

export type ConsolidationSchedule = {
  /** Blocks up to here are written: begins what is due, and returns at once. */
  applied(asOf: bigint | undefined): void
  /** Takes in what is due, for a caller whose turn in the queue it is. Resolves when that is done or has failed. */
  catchUp(asOf: bigint | undefined): Promise<void>
  /** Blocks were taken back: what is due may be earlier. */
  forget(): void
  /** Nothing more is begun. */
  stop(): void
}

/**
 * Takes complete epochs in beside the writes. A batch takes its turn in the write queue, as what it reads must not be undone
 * meanwhile; between batches it rests, as long as others write, so that they lose a few per cent at most. A graph that is
 * behind answers the same: see `openGraph`. Failures are logged, told and tried again; none reaches a writer.
 */
export function createConsolidationSchedule(
  queue: SerialQueue,
  { graph, epochBlocks }: { readonly graph: Pick<GraphRows, 'reached'>; readonly epochBlocks: number },
  {
    writer,
    logger,
    onMaintenance,
  }: {
    readonly writer: Pick<RowWriter, 'takeIn'>
    readonly logger: Logger
    readonly onMaintenance: (event: MaintenanceEvent) => void
  },
): ConsolidationSchedule {
  let newest: bigint | undefined
  /** The end of the epoch that is next, or of an earlier one. */
  let next = { from: -1n, end: 0n }
  let isBusy = false
  let isStopped = false
  let appliedSince = false
  let timer: NodeJS.Timeout | undefined
  let retryMs = retryMinMs

  return {
    applied(asOf) {
      newest = asOf
      appliedSince = true
      begin()
    },
    async catchUp(asOf) {
      newest = asOf
      while (asOf !== undefined && isDue(asOf)) {
        const { hasMore, hasFailed } = await takeIn()
        if (!hasMore || hasFailed) return
      }
    },
    forget() {
      next = { from: -1n, end: 0n }
    },
    stop() {
      isStopped = true
      clearTimeout(timer)
    },
  }

  /** False when no epoch is complete with `asOf` as the newest block; asks for no rows. */
  function isDue(asOf: bigint): boolean {
    const from = (graph.reached() ?? -1n) + 1n
    if (next.from !== from) next = { from, end: epochEnd(from, BigInt(epochBlocks)) }
    return asOf >= next.end
  }

  function begin(): void {
    if (isBusy || isStopped || timer || newest === undefined || !isDue(newest)) return
    isBusy = true
    void queue.run(takeIn).then(({ hasMore, hasFailed, workMs }) => {
      isBusy = false
      const restMs = hasFailed ? retryMs : appliedSince ? workMs * restPerWork : 0
      retryMs = hasFailed ? Math.min(retryMs * 2, retryMaxMs) : retryMinMs
      if (isStopped || (!hasMore && restMs === 0)) return
      timer = setTimeout(() => {
        timer = undefined
        begin()
      }, restMs)
      // What waits for it is the next process's as well.
      timer.unref()
    })
  }

  /** One batch. Never rejects. */
  async function takeIn(): Promise<{
    readonly hasMore: boolean
    readonly hasFailed: boolean
    readonly workMs: number
  }> {
    if (isStopped || newest === undefined) return { hasMore: false, hasFailed: false, workMs: 0 }
    appliedSince = false
    const started = performance.now()
    let hasMore = true
    let error: string | undefined
    try {
      ;({ hasMore, next } = await writer.takeIn(newest))
    } catch (cause) {
      error = errorText(cause)
      logger.warn({ error }, 'epochs could not be taken in: tried again later')
    }
    const workMs = performance.now() - started
    // What is remembered shows in answers.
    onMaintenance({
      job: 'consolidate',
      ok: error === undefined,
      error,
      seconds: workMs / 1000,
      atMs: Date.now(),
    })
    return { hasMore, hasFailed: error !== undefined, workMs }
  }
}
