import type { ExExEvent } from './exex/client/events.ts'
import { createLatencyRecorder } from './latency.ts'
import type { Metrics } from './metrics.ts'
import type { BlockRef } from './notification/types.ts'
import type { PipelineEvent } from './pipeline.ts'
import type { ChainTotals } from './watermark/types.ts'

/** What the bridge tells its listeners: the pipeline's events, and the acknowledgement that ends them. */
export type BridgeEvent =
  | (Extract<PipelineEvent, { type: 'applied' }> & { readonly counts: ChainTotals })
  | Exclude<PipelineEvent, { type: 'applied' }>
  | { readonly type: 'acknowledged'; readonly block: BlockRef }

export type Recorder = ReturnType<typeof createRecorder>

/** Watches the stream go by: latency, counts, and whoever listens. Changes nothing. */
export function createRecorder(
  metrics: Metrics,
  totalsAt: (block: BlockRef) => ChainTotals,
  totals: ChainTotals,
  now: () => number,
) {
  const latency = createLatencyRecorder()
  const listeners = new Set<(event: BridgeEvent) => void>()
  /** Blocks applied and not yet acknowledged, oldest first; bounded, as the credit bounds what is received. */
  let waiting: { number: bigint; receivedMs: number }[] = []
  let before = totals
  let queuedNotifications = 0
  let queuedBytes = 0
  let mostQueuedBytes = 0
  let stagedBlocks = 0
  let firstMs: number | undefined
  let lastMs = 0
  let transactions = 0
  let durable: BlockRef | undefined

  const tell = (event: BridgeEvent) => {
    for (const listener of listeners) listener(event)
  }
  const settle = (upTo: bigint) => {
    const at = now()
    let settled = 0
    while (settled < waiting.length && waiting[settled]!.number <= upTo) {
      latency.record(at - waiting[settled]!.receivedMs)
      settled++
    }
    if (settled > 0) waiting = waiting.slice(settled)
  }

  return {
    /** An event of the wire, as it is received. */
    received(event: ExExEvent): void {
      if (event.type === 'notification') {
        firstMs ??= now()
        queuedNotifications++
        queuedBytes += event.notification.bytes
        mostQueuedBytes = Math.max(mostQueuedBytes, queuedBytes)
      } else if (event.type === 'acknowledged' && event.durable) {
        settle(event.durable.number)
        tell({ type: 'acknowledged', block: event.durable })
      }
    },
    /** The server cannot acknowledge: durable is as far as it goes. */
    settledWithoutServer(block: BlockRef): void {
      settle(block.number)
    },
    /** An event of the pipeline, in order. */
    passed(event: PipelineEvent): void {
      switch (event.type) {
        case 'undone':
          before = totalsAt(event.tip)
          waiting = waiting.filter(({ number }) => number <= event.tip.number)
          tell(event)
          break
        case 'applied': {
          const { effects, facts } = event
          const counts = difference(effects.totals, before)
          before = effects.totals
          transactions += counts.transactions
          stagedBlocks++
          if (facts) waiting.push({ number: effects.block.number, receivedMs: facts.receivedTimeMs })
          tell({ ...event, counts })
          break
        }
        case 'processed':
          if (event.step.facts) {
            queuedNotifications--
            queuedBytes -= event.step.facts.bytes
          }
          tell(event)
          break
        case 'durable':
          durable = event.block
          stagedBlocks = 0
          lastMs = now()
          metrics.commits.inc()
          tell(event)
      }
    },
    /** The stream begins again: what was queued comes anew. */
    restarted(): void {
      queuedNotifications = 0
      queuedBytes = 0
    },
    listen(listener: (event: BridgeEvent) => void): () => void {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    durable: () => durable,
    queued: () => ({ notifications: queuedNotifications, bytes: queuedBytes }),
    mostQueuedBytes: () => mostQueuedBytes,
    stagedBlocks: () => stagedBlocks,
    latency: () => latency.summary(),
    /** Seconds from the first notification to the newest durable block, and the transactions applied in them. */
    speed: () => ({
      seconds: firstMs === undefined ? 0 : Math.max(0, lastMs - firstMs) / 1000,
      transactions,
    }),
  }
}

function difference(after: ChainTotals, before: ChainTotals): ChainTotals {
  const keys = Object.keys(after) as (keyof ChainTotals)[]
  return Object.fromEntries(keys.map((key) => [key, after[key] - before[key]])) as ChainTotals
}
