import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import pino from 'pino'
import type { Hash } from 'viem'
import { type Block, startExExServer } from '#exex/server'
import { type LatencyWatch, startSidecar, startTcpLink, watchLatency } from '#harness'
import { createScriptedFeed } from '../../harness/feed/index.ts'
import { nowMs } from '../../harness/latency/watchLatency.ts'
import { createBlocks } from './createBlocks.ts'
import type { LatencyCase, LatencyResult } from './types.ts'

const finalityDepth = 8n
const svmShare = 0.2

/** The scripted feed: its commit is its send, at a fixed rate whatever the sidecars do. */
export async function measureFeed(options: LatencyCase): Promise<LatencyResult> {
  const { blocksPerSecond, transactions, sidecars, seconds, linkDelayMs } = options
  const folder = await mkdtemp(join(tmpdir(), 'monmouth-latency-'))
  await using resources = new AsyncDisposableStack()
  resources.defer(() => rm(folder, { recursive: true, force: true }))
  const feed = createScriptedFeed({ chainId: 1337n })
  /** When a height became final, and when the node was told it. */
  const finalAt = new Map<bigint, number>()
  const toldAt = new Map<bigint, number>()
  const source = {
    ...feed,
    finishedHeight: ({ number }: { readonly number: bigint }) => {
      if (!toldAt.has(number)) toldAt.set(number, nowMs())
    },
  }
  const server = await startExExServer(
    { listen: '127.0.0.1:0', source },
    { logger: pino({ level: 'silent' }) },
  )
  resources.defer(() => server.close())
  const link = resources.use(await startTcpLink('link', server.address))
  await link.set({ delayMs: linkDelayMs })
  const watches: LatencyWatch[] = []
  for (let index = 0; index < sidecars; index++) {
    const sidecar = resources.use(
      await startSidecar({
        name: `sidecar-${index}`,
        url: `grpc://${link.address}`,
        dataDir: join(folder, `${index}`),
        settings: [`node.consumer_id=sidecar-${index}`, `finality.depth=${finalityDepth}`],
        logLevel: 'warn',
      }),
    )
    watches.push(resources.use(await watchLatency(sidecar)))
  }

  const next = createBlocks('latency', { transactions, svmShare })
  const count = Math.max(1, Math.round(blocksPerSecond * seconds))
  // Built before: signing and hashing must not stand between a block and its time.
  const blocks: Block[] = []
  for (let parent = feed.head; blocks.length <= count; parent = blocks.at(-1)!.ref) blocks.push(next(parent))
  const commit = (block: Block, at: number): Hash => {
    const { number, hash } = block.ref
    for (const watch of watches) watch.committed(hash, at)
    feed.commit([block])
    if (number > finalityDepth) {
      finalAt.set(number - finalityDepth, nowMs())
      feed.finalize(number - finalityDepth)
    }
    return hash
  }
  // One that is not measured: the first costs what later ones do not.
  const warm = commit(blocks.shift()!, nowMs())
  await Promise.all(watches.map((watch) => watch.acknowledged(warm)))
  for (const watch of watches) watch.reset()

  const began = nowMs() + 100
  let last: Hash = warm
  for (const [index, block] of blocks.entries()) {
    const due = began + (index * 1000) / blocksPerSecond
    const wait = due - nowMs()
    if (wait > 0) await delay(wait)
    last = commit(block, due)
  }
  await Promise.all(watches.map((watch) => watch.acknowledged(last)))
  const carried = count / ((nowMs() - began) / 1000)
  const durableAt = watches.map((watch) => watch.durableTimes())
  const heights = [...toldAt].flatMap(([number, told]) => {
    const since = [finalAt.get(number), ...durableAt.map((times) => times.get(Number(number)))]
    return since.every((at) => at !== undefined) ? [told - Math.max(...since)] : []
  })
  return { ...options, source: 'feed', blocks: count, carried, watches, heights }
}
