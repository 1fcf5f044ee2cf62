import pino from 'pino'
import { startReplayFeed } from '#harness'
import { startBridge } from '../../sidecar/bridge.ts'
import { config, temporaryFolder } from './localStages.ts'
import type { BenchOptions, BenchRow } from './main.ts'

/** Notifications → durable and acknowledged, through the whole sidecar. */
export async function measureDurable({ file, repeat }: BenchOptions): Promise<BenchRow> {
  await using folder = await temporaryFolder()
  await using feed = await startReplayFeed({ files: [file], repeat })
  const bridge = await startBridge({
    config,
    url: `grpc://${feed.address}`,
    dataDir: folder.path,
    logger: pino({ level: 'warn' }, pino.destination(2)),
    signal: new AbortController().signal,
  })
  await bridge.untilDurable(await feed.finished)
  const status = await bridge.stop()
  return {
    'tx/s': status.transactionsPerSecond,
    transactions: status.transactions,
    blocks: status.blocks,
    seconds: status.seconds,
    'to acknowledged p50 ms': status.latencyMs.p50,
    'p99 ms': status.latencyMs.p99,
    'RSS MB': Math.round(status.rssBytes / 1e6),
  }
}
