import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { Status } from './status.ts'

/** Numbers read at scrape time, for the gauges. */
export type MetricsSource = {
  status(): Status
  isReady(): boolean
  isHealthy(): boolean
  /** Notifications received and not yet processed, and their bytes: bounded by the credit given. */
  queued(): { notifications: number; bytes: number }
  mostQueuedBytes(): number
  /** Rows waiting for the vector store, and the limit past which the pipeline waits. */
  outbox(): { rows: number; limit: number }
  /** Blocks staged and not yet durable. */
  stagedBlocks(): number
  /** Memory of remembered answers; undefined without a cache. */
  cacheBytes(): number | undefined
  /** The node's head, once heard. */
  nodeHead(): number | undefined
}

export type Metrics = ReturnType<typeof createMetrics>

/**
 * Every metric of the sidecar, made in one place, `monmouth_` first, base units. Counters of chain contents count what
 * was done (gross); the net values of the canonical chain are in `/status`.
 */
export function createMetrics() {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry, prefix: 'monmouth_' })
  const counter = (name: string, help: string, labelNames: string[] = []) =>
    new Counter({ name: `monmouth_${name}`, help, labelNames, registers })
  const histogram = (name: string, help: string, labelNames: string[], buckets: number[]) =>
    new Histogram({ name: `monmouth_${name}`, help, labelNames, buckets, registers })

  return {
    registry,
    blocks: counter('blocks_processed_total', 'Blocks applied, those undone later included'),
    transactions: counter(
      'transactions_processed_total',
      'Transactions decided, those undone later included',
    ),
    routes: counter('routing_decisions_total', 'Transactions by route decided', ['route']),
    svm: counter('svm_transactions_total', 'SVM transactions by outcome', ['outcome']),
    reorgs: counter('reorgs_total', 'Times at least one applied block was undone'),
    reverted: counter('blocks_reverted_total', 'Blocks undone'),
    reorgDepth: histogram(
      'reorg_depth_blocks',
      'Blocks undone at a time',
      [],
      [1, 2, 3, 5, 10, 20, 64, 128, 256],
    ),
    cache: counter('context_cache_total', 'Context look-ups by whether the epoch had them', ['result']),
    commits: counter('commits_total', 'Transactions of the state database'),
    query: histogram(
      'rag_query_duration_seconds',
      'Time a context query took',
      [],
      [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1],
    ),
    ragCache: counter(
      'rag_cache_total',
      'Context queries by what answered them: memory, the same query under way (joined), or the store',
      ['source'],
    ),
    maintenance: counter(
      'vector_maintenance_total',
      "The vector store's background jobs, by how they ended",
      ['job', 'result'],
    ),
    reconnects: counter('exex_reconnects_total', 'Times the stream to the node was opened again'),
    findings: counter('findings_total', 'Findings about blocks applied, by kind', ['kind']),
    waits: counter('pipeline_waits_total', 'Times the pipeline waited, by what for', ['reason']),

    /** Registers the gauges once what they read exists. */
    observe(source: MetricsSource) {
      const gauge = (name: string, help: string, read: () => number | undefined) => {
        const registered: Gauge = new Gauge({
          name: `monmouth_${name}`,
          help,
          registers,
          collect() {
            const value = read()
            if (value !== undefined) registered.set(value)
          },
        })
      }
      gauge('head_block', 'Tip applied in memory', () => source.status().head?.number)
      gauge('durable_block', 'Tip that survives a kill', () => source.status().durable?.number)
      gauge(
        'finalized_block',
        'Highest block known final on our chain',
        () => source.status().finalized?.number,
      )
      gauge(
        'finished_height_block',
        'What the node may prune up to',
        () => source.status().finishedHeight?.number,
      )
      gauge('node_head_block', 'Head of the node', () => source.nodeHead())
      gauge('ready', '1 when everything the node has is applied', () => (source.isReady() ? 1 : 0))
      gauge('healthy', '1 when there is no problem', () => (source.isHealthy() ? 1 : 0))
      gauge(
        'queue_notifications',
        'Notifications received and not processed',
        () => source.queued().notifications,
      )
      gauge('queue_bytes', 'Bytes of notifications received and not processed', () => source.queued().bytes)
      gauge(
        'queue_most_bytes',
        'Most bytes that were received and not processed at once, since the start',
        () => source.mostQueuedBytes(),
      )
      gauge('staged_blocks', 'Blocks applied and not yet durable', () => source.stagedBlocks())
      gauge('rag_cache_bytes', 'Memory of remembered answers to context queries', () => source.cacheBytes())
      gauge('outbox_rows', 'Rows waiting for the vector store', () => source.outbox().rows)
      gauge('outbox_limit_rows', 'Rows past which the pipeline waits', () => source.outbox().limit)
      gauge('svm_accounts', 'Accounts of the SVM', () => source.status().svm.accounts)
    },
  }
}
