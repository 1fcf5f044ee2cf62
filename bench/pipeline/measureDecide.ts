import { setImmediate as nextTurn } from 'node:timers/promises'
import pino from 'pino'
import { concatMap, filter, map, tap } from 'rxjs'
import { startReplayFeed } from '#harness'
import { connectExEx } from '../../sidecar/exex/client/connectExEx.ts'
import { createLatencyRecorder } from '../../sidecar/latency.ts'
import { chainTip, createChain } from '../../sidecar/notification/chain.ts'
import { chainSteps } from '../../sidecar/notification/chainSteps.ts'
import type { Block } from '../../sidecar/notification/types.ts'
import { routerOptions } from '../../sidecar/openStages.ts'
import { createRouter } from '../../sidecar/router/createRouter.ts'
import type { PatternRow } from '../../sidecar/router/types.ts'
import { config } from './localStages.ts'
import type { BenchOptions, BenchRow } from './main.ts'

const noEnvelopes = new Map<number, never>()

/** Notifications → decisions: what one thread decides, the wire and its decoding included. */
export async function measureDecide({ file, repeat }: BenchOptions): Promise<BenchRow> {
  await using feed = await startReplayFeed({ files: [file], repeat, prepared: true })
  const rows = new Map<string, PatternRow>()
  const logger = pino({ level: 'warn' }, pino.destination(2))
  const router = createRouter(
    routerOptions(config),
    { context: { patternsAt: async () => [...rows.values()] }, logger, signal: new AbortController().signal },
    { rows: () => [], tip: undefined },
  )
  const client = connectExEx(
    {
      url: `grpc://${feed.address}`,
      consumerId: 'bench',
      locator: () => ({ blocks: [], finalized: undefined, durable: undefined }),
    },
    { logger },
  )
  const perBlock = createLatencyRecorder()
  let transactions = 0
  let blocks = 0
  let first = 0
  let last = 0
  let hits = 0
  let misses = 0
  let waits = 0
  let tipHash: string | undefined

  const decide = async (apply: readonly Block[]) => {
    for (const block of apply) {
      const wait = router.prepare(block)
      if (wait) {
        waits++
        await wait
      }
      const started = performance.now()
      const decisions = router.decide(block, noEnvelopes)
      const settled = router.settle(block, [])
      last = performance.now()
      perBlock.record(last - started)
      hits += decisions.cacheHits
      misses += decisions.cacheMisses
      for (const row of settled.patterns ?? []) rows.set(row.id, row)
      for (const id of settled.removed ?? []) rows.delete(id)
      transactions += block.transactions.count
      blocks++
    }
  }
  const whole = Promise.withResolvers<void>()
  const subscription = client.events$
    .pipe(
      tap((event) => {
        if (event.type === 'notification') first ||= performance.now()
      }),
      map((event) => {
        if (event.type === 'welcome') return { kind: 'resumed', ancestor: event.ancestor! } as const
        return event.type === 'notification' ? event.notification : undefined
      }),
      filter((input) => input !== undefined),
      chainSteps(() => createChain([], config.state.undoDepth, undefined)),
      concatMap(async (step) => {
        await decide(step.apply)
        if (!step.facts) return
        client.grant(step.facts)
        const tip = chainTip(step.chain)!
        client.acknowledge(tip, tip)
        tipHash = tip.hash
      }),
    )
    .subscribe({ error: whole.reject })
  const { hash } = await feed.finished
  // The end is told beside the stream: what is still under way is waited for.
  while (tipHash !== hash) await Promise.race([nextTurn(), whole.promise])
  subscription.unsubscribe()
  const seconds = (last - first) / 1000
  return {
    'tx/s': Math.round(transactions / seconds),
    transactions,
    blocks,
    seconds: seconds.toFixed(2),
    'block p50 ms': perBlock.summary().p50,
    'block p99 ms': perBlock.summary().p99,
    'context hits': `${((100 * hits) / (hits + misses)).toFixed(1)} %`,
    waits,
    'RSS MB': Math.round(process.memoryUsage.rss() / 1e6),
  }
}
