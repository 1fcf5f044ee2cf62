import type { Config } from '#config'
import type { CachedStore, SearchRequest, VectorStore } from '#vector'
import type { ContextRequest, DecisionView, Problem, SidecarView } from './api/view.ts'
import type { ExExClient } from './exex/client/connectExEx.ts'
import { createAdvice } from './findings/advice/createAdvice.ts'
import { findingsWritten, readFindings, readFindingsOf, readMemory } from './findings/readFindings.ts'
import type { Metrics, MetricsSource } from './metrics.ts'
import type { BlockRef } from './notification/types.ts'
import type { OutboxPump } from './outbox/outboxPump.ts'
import type { Recorder } from './recorder.ts'
import { decodeResults, type StoredResult } from './results.ts'
import { readDecisions } from './router/readDecisions.ts'
import type { Tally } from './stages.ts'
import { type Status, toHex, toRefJson } from './status.ts'
import { decodeAccount } from './svm/accountValue.ts'
import type { Store, StoredDecisions } from './watermark/store.ts'

export type ViewParts = {
  readonly store: Store
  readonly vector: VectorStore | CachedStore
  readonly pump: OutboxPump
  readonly client: ExExClient
  readonly recorder: Recorder
  readonly tally: Tally
  readonly metrics: Metrics
  readonly config: Config
  /** The tip as received. */
  readonly tip: () => BlockRef | undefined
  readonly fatal: () => Problem | undefined
}

/** Everything the doors may see, read from the durable state: what they show survives a kill. */
export function createSidecarView(parts: ViewParts): SidecarView & MetricsSource {
  const { store, vector, pump, client, recorder, tally, metrics, config, tip, fatal } = parts

  const cache = 'getCacheStats' in vector ? vector : undefined
  const searchRequest = ({ query, limit, filter, tokens }: ContextRequest): SearchRequest => ({
    query,
    limit: limit ?? config.query.limit,
    tokens: tokens ?? config.query.tokens,
    ...(filter === undefined ? {} : { filter }),
  })
  const problems = (): readonly Problem[] => {
    const found: Problem[] = []
    const stopped = fatal()
    if (stopped) found.push(stopped)
    const { connected, lastError, problem } = client.state()
    const trouble = connected ? problem : (lastError?.message ?? 'not connected to the node yet')
    if (!stopped && trouble !== undefined) {
      found.push({ code: 'NODE_UNREACHABLE', message: trouble, fatal: false })
    }
    const refused = pump.problem()
    if (refused !== undefined) found.push({ code: 'VECTOR_STORE', message: refused, fatal: false })
    return found
  }
  const readiness = () => {
    const stopped = fatal()
    if (stopped) return { ready: false, why: stopped.message }
    const { connected, head, syncing, problem } = client.state()
    if (!connected || !head) return { ready: false, why: 'not connected to the node' }
    if (problem !== undefined) return { ready: false, why: problem }
    if (syncing) return { ready: false, why: 'the node itself is behind its network' }
    const { durable } = store.progress()
    if (durable?.hash !== head.hash && !(head.number < store.identity.start)) {
      return { ready: false, why: `durable at #${durable?.number ?? 'none'}, the node is at #${head.number}` }
    }
    return { ready: true, why: undefined }
  }
  const decisionViews = (stored: StoredDecisions): DecisionView[] => {
    const results = Map.groupBy(decodeResults(stored.results), (result) => result.transactionIndex)
    return readDecisions(stored.decisions, stored.block, stored.transactionHashes).map((decision) => ({
      ...decision,
      canonical: stored.canonical,
      outcomes: (results.get(decision.transactionIndex) ?? []).map(withoutIndex),
    }))
  }

  return {
    status(): Status {
      const { durable, finalized, totals, latticeHash, decisionsHash } = store.progress()
      const { seconds, transactions } = recorder.speed()
      return {
        blocks: totals.blocks,
        transactions: totals.transactions,
        routes: {
          executeOnSvm: totals.executeOnSvm,
          executeOnEvm: totals.executeOnEvm,
          skip: totals.skip,
        },
        svm: {
          executed: totals.executed,
          failed: totals.failed,
          rejected: totals.rejected,
          deposits: totals.deposits,
          accounts: totals.accounts,
          latticeHash: toHex(latticeHash),
        },
        decisionsHash: toHex(decisionsHash),
        reorgs: tally.reorgs,
        blocksReverted: tally.blocksReverted,
        head: toRefJson(tip()),
        durable: toRefJson(durable),
        finalized: toRefJson(finalized),
        finishedHeight: toRefJson(store.finishedHeight()),
        seconds: Math.round(seconds * 1000) / 1000,
        transactionsPerSecond: seconds > 0 ? Math.round(transactions / seconds) : 0,
        latencyMs: recorder.latency(),
        cache: { hits: tally.cacheHits, misses: tally.cacheMisses },
        rssBytes: process.memoryUsage.rss() + vector.rssBytes(),
      }
    },
    problems,
    readiness,
    metrics: metrics.registry,
    async context(request) {
      const endTimer = metrics.query.startTimer()
      try {
        return await vector.search(searchRequest(request))
      } finally {
        endTimer()
      }
    },
    neighbours: (request) => vector.neighbours(request),
    documents: {
      list: () => vector.documents(),
      add: (document) => vector.addDocument(document),
      remove: (id) => vector.removeDocument(id),
      embedding: async () => (await vector.stats()).embedding,
      callNames: (calls) => vector.callNames(calls),
    },
    cache: cache && {
      getCacheStats: cache.getCacheStats,
      invalidateCache: cache.invalidateCache,
      warm: (requests) => cache.warmCache(requests.map(searchRequest)),
    },
    decisions(limit) {
      const views: DecisionView[] = []
      // Newest block first, and within it the last transaction first.
      for (const stored of store.latestDecisions(Math.min(limit, 256))) {
        views.push(...decisionViews(stored).reverse())
        if (views.length >= limit) break
      }
      return views.slice(0, limit)
    },
    decisionsOf(transactionHash) {
      return store
        .findTransaction(Buffer.from(transactionHash.slice(2), 'hex'))
        .flatMap(({ block, index }) => {
          const stored = store.decisionsOf(block)
          const found = stored && decisionViews(stored)[index]
          return found ? [found] : []
        })
    },
    undone(limit) {
      return store
        .latestOrphans(limit)
        .map((block) => ({ block, replacedBy: store.canonicalBlock(block.number) }))
    },
    account(pubkey) {
      const { value, block } = store.account(pubkey)
      return value && block ? { account: decodeAccount(value), block } : undefined
    },
    findings(limit, kind) {
      const { enabled, keep } = config.findings
      return enabled ? readFindings(store, { limit, kind, keep }) : undefined
    },
    findingsOf: (block) => (config.findings.enabled ? readFindingsOf(store, block) : []),
    advice() {
      const { enabled, window } = config.findings
      return enabled ? (createAdvice(readMemory(store, window)) ?? null) : undefined
    },
    listen(listener) {
      return recorder.listen((event) => {
        switch (event.type) {
          case 'undone':
            for (const block of event.blocks) listener({ type: 'undone', block })
            break
          case 'applied':
            listener({
              type: 'applied',
              block: event.effects.block,
              ...(event.facts && {
                nodeTimeMs: event.facts.nodeTimeMs,
                receivedTimeMs: event.facts.receivedTimeMs,
              }),
            })
            for (const finding of findingsWritten(event.effects.block, event.effects.writes)) {
              const { kind, impact, risk, summary, transactions } = finding
              listener({
                ...{ type: 'finding', block: event.effects.block, kind, impact, risk, summary },
                transactions: transactions.map(({ hash }) => hash),
              })
            }
            break
          case 'durable':
          case 'acknowledged':
            listener({ type: event.type, block: event.block })
        }
      })
    },
    isReady: () => readiness().ready,
    isHealthy: () => problems().length === 0,
    queued: recorder.queued,
    mostQueuedBytes: recorder.mostQueuedBytes,
    outbox: () => ({ rows: store.outboxRows(), limit: config.vector.outboxLimitRows }),
    stagedBlocks: recorder.stagedBlocks,
    cacheBytes: () => cache?.getCacheStats().bytes,
    nodeHead: () => {
      const head = client.state().head
      return head && Number(head.number)
    },
  }
}

const withoutIndex = ({ item, status, reason, computeUnits }: StoredResult) => ({
  item,
  status,
  reason,
  computeUnits,
})
