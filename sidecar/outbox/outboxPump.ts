import type { Logger } from 'pino'
import type { PatternProfile, VectorEntry } from '#vector'
import type { OutboxEntry } from '../watermark/types.ts'
import { decodePayload } from './payload.ts'

/** The durable side: entries in block order, there until deleted. */
export type OutboxQueue = {
  /** Oldest first, about `limitRows` rows, at least one entry where there is one. */
  readOutbox(limitRows: number): readonly OutboxEntry[]
  deleteOutbox(upToSequence: number): void
  /** Rows waiting. */
  outboxRows(): number
  /** Whether entries are left that must be carried before `patterns` are those of a boundary. */
  patternsPending(boundary: bigint): boolean
}

/** The vector store as the pump sees it: applying the same entries again changes nothing. */
export type OutboxSink = {
  apply(entries: readonly VectorEntry[]): Promise<void>
  patternsAt(boundary: bigint): Promise<readonly PatternProfile[]>
}

export type OutboxPumpOptions = {
  /** Past so many waiting rows the pipeline waits. */
  readonly limitRows: number
  /** Rows handed to the vector store at a time. Default 2000: past it LanceDB gains nothing. */
  readonly batchRows?: number
  /**
   * Between two writes, unless somebody waits or a batch is full: every write is a file more for LanceDB to search. Default 0.
   */
  readonly writeGapMs?: number
  /** First and longest pause before a failed write is tried again. Defaults 100 ms and 5 s. */
  readonly retryMinMs?: number
  readonly retryMaxMs?: number
}

export type OutboxPump = {
  /** Something was committed: look. */
  wake(): void
  /** undefined while there is room; else a promise of room. */
  room(): Promise<void> | undefined
  /**
   * The `patterns` table once all that is committed and concerns it up to the boundary is in it.
   * @throws OutboxStalledError while the vector store refuses writes
   */
  patternsAt(boundary: bigint): Promise<readonly PatternProfile[]>
  /** The last failure while writes fail, else undefined. */
  problem(): string | undefined
  /** Resolves once nothing waits, or while the vector store refuses writes: then it is for the next start. */
  drained(): Promise<void>
  /** Waits for the batch in flight, and writes no more: what is left stays on disk for the next start. */
  close(): Promise<void>
}

/** The vector store does not take the outbox; the entries are safe on disk. */
export class OutboxStalledError extends Error {
  override readonly name = 'OutboxStalledError'
  readonly code = 'OUTBOX_STALLED'

  constructor(reason: string, options?: ErrorOptions) {
    super(
      `The vector store refuses writes: ${reason}. The entries wait on disk and are tried again.`,
      options,
    )
  }
}

/**
 * Carries committed outbox entries to the vector store, one batch at a time and in order. An entry is deleted only
 * after the store has it, so a kill in between repeats it, which changes nothing.
 */
export function createOutboxPump(
  queue: OutboxQueue,
  sink: OutboxSink,
  options: OutboxPumpOptions,
  { logger }: { logger: Logger },
): OutboxPump {
  const { limitRows, batchRows = 1_000, writeGapMs = 0, retryMinMs = 100, retryMaxMs = 5_000 } = options
  let running: Promise<void> | undefined
  let failure: Error | undefined
  let lastTold: string | undefined
  let isClosed = false
  let retryTimer: NodeJS.Timeout | undefined
  let retryMs = retryMinMs
  let nextWriteAt = 0
  let hurry = () => {}
  const waiters = new Set<{ until: () => boolean; resolve: () => void; reject: (error: Error) => void }>()

  const settleWaiters = () => {
    for (const waiter of waiters) {
      if (!waiter.until()) continue
      waiters.delete(waiter)
      waiter.resolve()
    }
  }

  const isPressing = () => isClosed || waiters.size > 0 || queue.outboxRows() >= batchRows

  /** Lets entries gather, for as long as nothing presses. */
  const gather = async () => {
    const ms = nextWriteAt - performance.now()
    if (ms <= 0 || isPressing()) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, ms)
    hurry = resolve
    await promise
    clearTimeout(timer)
  }

  const drain = async () => {
    while (!isClosed) {
      if (queue.outboxRows() > 0) await gather()
      if (isClosed) break
      const entries = queue.readOutbox(batchRows)
      if (entries.length === 0) break
      await sink.apply(entries.map((entry) => decodePayload(entry.payload)))
      queue.deleteOutbox(entries[entries.length - 1]!.sequence)
      nextWriteAt = performance.now() + writeGapMs
      failure = undefined
      lastTold = undefined
      retryMs = retryMinMs
      settleWaiters()
    }
  }

  const wake = () => {
    if (isPressing()) hurry()
    if (running || isClosed || retryTimer) return
    running = drain()
      .catch((error: unknown) => {
        failure = error instanceof Error ? error : new Error(String(error))
        // Once in full; the repeats of it only say that it goes on.
        const facts = { retryMs, rows: queue.outboxRows() }
        if (failure.message === lastTold) logger.debug(facts, 'vector store still refuses the outbox')
        else logger.warn({ err: failure, ...facts }, 'vector store refused the outbox')
        lastTold = failure.message
        for (const waiter of waiters)
          waiter.reject(new OutboxStalledError(failure.message, { cause: failure }))
        waiters.clear()
        if (isClosed) return
        retryTimer = setTimeout(() => {
          retryTimer = undefined
          wake()
        }, retryMs)
        retryMs = Math.min(retryMs * 2, retryMaxMs)
      })
      .finally(() => {
        running = undefined
        // Entries committed while the last read was in flight.
        if (!failure && !isClosed && queue.outboxRows() > 0) wake()
      })
  }

  const waitUntil = (until: () => boolean) =>
    new Promise<void>((resolve, reject) => {
      if (until()) return resolve()
      waiters.add({ until, resolve, reject })
      wake()
    })

  return {
    wake,
    room() {
      if (queue.outboxRows() < limitRows) return undefined
      // Room again at half the limit: waking per batch would make every block wait. A refusing store is waited out.
      const half = limitRows / 2
      const attempt = (): Promise<void> =>
        waitUntil(() => isClosed || queue.outboxRows() <= half).catch(async () => {
          await new Promise((resolve) => setTimeout(resolve, retryMs))
          return attempt()
        })
      return attempt()
    },
    async patternsAt(boundary) {
      if (failure) throw new OutboxStalledError(failure.message, { cause: failure })
      await waitUntil(() => !queue.patternsPending(boundary))
      return sink.patternsAt(boundary)
    },
    problem: () => failure?.message,
    async drained() {
      if (failure) return
      await waitUntil(() => isClosed || queue.outboxRows() === 0).catch(() => {
        // Told already, as the problem it is.
      })
    },
    async close() {
      isClosed = true
      hurry()
      clearTimeout(retryTimer)
      await running
      for (const waiter of waiters) waiter.reject(new OutboxStalledError('closing'))
      waiters.clear()
    },
  }
}
