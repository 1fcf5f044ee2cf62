import { copyFileSync, existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { Subject, type Subscription } from 'rxjs'
import type { Config } from '#config'
import type { VectorEntry } from '#vector'
import type { Metrics } from '../../../sidecar/metrics.ts'
import type { Chain, ChainInput } from '../../../sidecar/notification/chain.ts'
import type { BlockRef } from '../../../sidecar/notification/types.ts'
import { openStages } from '../../../sidecar/openStages.ts'
import { createOutboxPump, type OutboxSink } from '../../../sidecar/outbox/outboxPump.ts'
import { type PipelineEvent, pipeline } from '../../../sidecar/pipeline.ts'
import { createReceivedChain } from '../../../sidecar/receivedChain.ts'
import { restoredChain } from '../../../sidecar/restoredChain.ts'
import type { Identity } from '../../../sidecar/watermark/identity.ts'
import { openStore } from '../../../sidecar/watermark/openStore.ts'
import type { Store } from '../../../sidecar/watermark/store.ts'
import { withOutbox } from '../../../sidecar/withOutbox.ts'
import type { Clock } from './createClock.ts'

export type MachineOptions = {
  readonly config: Config
  readonly identity: Identity
  readonly directory: string
}

export type MachineDependencies = {
  /** Outlives the machine, as files do. */
  readonly sink: OutboxSink
  readonly clock: Clock
  readonly metrics: Metrics
  readonly logger: Logger
  readonly onEvent: (event: PipelineEvent) => void
  /** Told of the durable blocks that the server is told of. */
  readonly onAcknowledge: (block: BlockRef) => void
}

/** The sidecar without wire and doors: the real store, stages, outbox and pipeline, fed by hand. */
export type Machine = {
  readonly store: Store
  /** As received, ahead of what is applied. */
  chain(): Chain
  send(input: ChainInput): void
  /** What ended the stream. */
  error(): unknown
  /** Starts the stream again where what was received ends, as after a lost connection. */
  reconnect(): void
  /** Everything sent is applied, durable, and in the vector store; or the stream ended. */
  quiet(): Promise<void>
  /** Ends it as `kill -9` would: what is on disk at this instant is left, in another directory. */
  kill(to: string): Promise<void>
  /** Ends it in order. */
  close(): Promise<void>
}

/** Far beyond what any one write takes on a machine that is busy: what has not moved for so long never will. */
const STUCK_MS = 60_000

/** Joins the parts as the composition root does. */
export async function openMachine(
  { config, identity, directory }: MachineOptions,
  { sink, clock, metrics, logger, onEvent, onAcknowledge }: MachineDependencies,
): Promise<Machine> {
  const lifetime = new AbortController()
  const { undoDepth, retainDecisions } = config.state
  const store = openStore({ directory, identity, undoDepth, retainDecisions }, { logger })
  const gate = createGate(sink)
  const limitRows = config.vector.outboxLimitRows
  const pump = createOutboxPump(
    store,
    gate,
    { limitRows, batchRows: 40, retryMinMs: 1, retryMaxMs: 4 },
    { logger },
  )
  const { stages, svm } = await openStages(
    { config, chainId: identity.chainId, store, pump, metrics },
    { logger, signal: lifetime.signal },
  )
  const incoming = createReceivedChain(restoredChain(config, store))
  let error: unknown
  let sent = 0
  let processed = 0
  let inputs = new Subject<ChainInput>()
  let subscription: Subscription | undefined
  let completed: Promise<void>

  const reconnect = () => {
    subscription?.unsubscribe()
    error = undefined
    sent = 0
    processed = 0
    inputs = new Subject()
    const ended = Promise.withResolvers<void>()
    completed = ended.promise
    subscription = inputs
      .pipe(
        pipeline(stages, withOutbox(store, pump), {
          initial: incoming.chain,
          received: incoming.received,
          policy: {
            maxBlocks: config.exex.maxBlocksBeforeCommit,
            maxDelayMs: config.exex.maxDelayBeforeCommit,
            scheduler: clock,
          },
          signal: lifetime.signal,
        }),
      )
      .subscribe({
        next: (event) => {
          if (event.type === 'processed') {
            processed++
            incoming.processed()
          }
          onEvent(event)
          if (event.type === 'durable' && incoming.holds(event.block)) onAcknowledge(event.block)
        },
        error: (thrown: unknown) => {
          error = thrown
          ended.resolve()
        },
        complete: ended.resolve,
      })
  }
  reconnect()
  pump.wake()

  return {
    store,
    chain: incoming.chain,
    send(input) {
      sent++
      inputs.next(input)
    },
    error: () => error,
    reconnect,
    async quiet() {
      let moved = { at: performance.now(), processed, rows: store.outboxRows() }
      const watch = () => {
        const now = { at: performance.now(), processed, rows: store.outboxRows() }
        if (now.processed !== moved.processed || now.rows !== moved.rows) moved = now
        if (now.at - moved.at < STUCK_MS) return
        throw new Error(
          `stuck: ${processed} of ${sent} inputs processed, ${store.outboxRows()} rows wait (${pump.problem()}), durable ${store.progress().durable?.number}, error ${error}`,
        )
      }
      while (error === undefined && processed < sent) {
        watch()
        await turn()
        // A wait of the pipeline may be for the next commit.
        clock.advance(1)
      }
      clock.advance(config.exex.maxDelayBeforeCommit + 1)
      while (store.outboxRows() > 0) {
        watch()
        await turn()
      }
    },
    async kill(to) {
      mkdirSync(to, { recursive: true })
      // One thread writes the store, and it is here: the files are as some instant left them, the WAL included.
      for (const name of ['state.sqlite', 'state.sqlite-wal']) {
        if (existsSync(join(directory, name))) copyFileSync(join(directory, name), join(to, name))
      }
      subscription?.unsubscribe()
      const closed = pump.close()
      await gate.cut()
      await closed
      lifetime.abort(new Error('killed'))
      svm.close()
      store.close()
      rmSync(directory, { recursive: true, force: true })
    },
    async close() {
      // The order of the composition root: the input ends, the block in hand is finished, the rest is closed.
      inputs.complete()
      lifetime.abort(new Error('stopped'))
      await completed
      svm.close()
      await pump.close()
      store.close()
    },
  }
}

/** Lets nothing more through once cut; waits for what is under way. */
function createGate(sink: OutboxSink): OutboxSink & { cut(): Promise<void> } {
  let isCut = false
  const underWay = new Set<Promise<unknown>>()
  const pass = async <T>(call: () => Promise<T>): Promise<T> => {
    if (isCut) throw new Error('killed')
    const work = call()
    underWay.add(work)
    try {
      return await work
    } finally {
      underWay.delete(work)
    }
  }
  return {
    apply: async (entries: readonly VectorEntry[]) => {
      await pass(() => sink.apply(entries))
      if (isCut) throw new Error('killed')
    },
    patternsAt: (boundary) => pass(() => sink.patternsAt(boundary)),
    cut: async () => {
      isCut = true
      await Promise.allSettled([...underWay])
    },
  }
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))
