import pino from 'pino'
import { startReplayFeed } from '#harness'
import { startBridge } from '../../sidecar/bridge.ts'
import { config, temporaryFolder } from './localStages.ts'
import type { BenchOptions, BenchRow } from './main.ts'

const SAMPLE_MS = 1_000

/**
 * Resident memory of the whole sidecar, the vector store's process included, while it takes blocks at full speed, 5 % of
 * their transactions for the SVM, with a reorg of 3 blocks every 50: a flat line, or not.
 */
export async function measureMemory({ file, repeat }: BenchOptions): Promise<BenchRow> {
  await using folder = await temporaryFolder()
  await using feed = await startReplayFeed({
    files: [file],
    repeat,
    svmShare: 0.05,
    reorgEvery: 50,
    reorgDepth: 3,
  })
  const bridge = await startBridge({
    config,
    url: `grpc://${feed.address}`,
    dataDir: folder.path,
    logger: pino({ level: 'warn' }, pino.destination(2)),
    signal: new AbortController().signal,
  })
  const samples: { blocks: number; megabytes: number }[] = []
  const timer = setInterval(() => {
    const { blocks, rssBytes } = bridge.view.status()
    samples.push({ blocks, megabytes: Math.round(rssBytes / 1e6) })
    if (samples.length % 10 !== 0) return
    const { rss, heapUsed, external } = process.memoryUsage()
    const [own, heap, outside] = [rss, heapUsed, external].map((bytes) => Math.round(bytes / 1e6))
    const total = samples.at(-1)!.megabytes
    process.stderr.write(
      `  ${blocks} blocks, ${total} MB: own ${own} (JavaScript ${heap}, its buffers ${outside}), vector store ${total - own!}\n`,
    )
  }, SAMPLE_MS)
  await bridge.untilDurable(await feed.finished)
  clearInterval(timer)
  const status = await bridge.stop()
  // The mean of each tenth of the run, by blocks: a leak shows as a rise from the second to the last.
  const tenths = Array.from({ length: 10 }, (_, tenth) => {
    const inside = samples.filter(({ blocks }) => Math.floor((10 * blocks) / (status.blocks + 1)) === tenth)
    return inside.length === 0
      ? '–'
      : Math.round(inside.reduce((sum, { megabytes }) => sum + megabytes, 0) / inside.length)
  })
  return {
    blocks: status.blocks,
    'tx/s': status.transactionsPerSecond,
    'MB by tenth': tenths.join(' '),
    'max MB': Math.max(...samples.map(({ megabytes }) => megabytes)),
  }
}
