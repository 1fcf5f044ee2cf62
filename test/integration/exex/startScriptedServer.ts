import {
  type ExExServer,
  type ExExServerMetrics,
  type ExExServerOptions,
  startExExServer,
} from '#exex/server'
import {
  createScriptedFeed,
  type ScriptedFeed,
  type ScriptedFeedOptions,
} from '../../../harness/feed/index.ts'
import type { ConformanceSubject } from './conformance.ts'
import { quiet } from './observedConsumer.ts'

export type ScriptedServer = ConformanceSubject & { readonly feed: ScriptedFeed; readonly server: ExExServer }

/** The server core over a scripted feed, on a free port, with short timers. */
export async function startScriptedServer(
  options: Partial<Omit<ExExServerOptions, 'source'>> & {
    readonly feedOptions?: ScriptedFeedOptions
    readonly feed?: ScriptedFeed
    readonly metrics?: ExExServerMetrics
    readonly now?: () => number
  } = {},
): Promise<ScriptedServer> {
  const { feedOptions, metrics, now, ...serverOptions } = options
  const feed = options.feed ?? createScriptedFeed(feedOptions)
  const server = await startExExServer(
    {
      listen: '127.0.0.1:0',
      heartbeatMs: 20,
      sourceRetryMs: 5,
      closeTimeoutMs: 200,
      ...serverOptions,
      source: feed,
    },
    { logger: quiet, ...(metrics === undefined ? {} : { metrics }), ...(now === undefined ? {} : { now }) },
  )
  const { address } = server
  return {
    feed,
    server,
    url: address.startsWith('unix:')
      ? address
      : `${options.tls === undefined ? 'grpc' : 'grpcs'}://${address}`,
    chainId: feed.chainId,
    commit: async (count) => feed.commit(count),
    reorg: async (depth, count) => feed.reorg(depth, count),
    revert: async (depth) => feed.revert(depth),
    finalize: async (number) => feed.finalize(number),
    canonical: async () => feed.canonical,
    finishedHeights: async () => [...feed.finishedHeights],
    close: () => server.close(),
  }
}
