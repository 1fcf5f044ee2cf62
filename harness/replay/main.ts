import { parseArgs } from 'node:util'
import { pino } from 'pino'
import { blockFromJson, encodeBlock, startExExServer } from '#exex/server'
import { HarnessError } from '../errors.ts'
import { createReplayChain } from './createReplayChain.ts'
import { createReplaySource } from './createReplaySource.ts'
import { openRecording } from './openRecording.ts'
import type { ReplayFeedOptions, ReplayLine } from './startReplayFeed.ts'

/**
 * The feed as a process: `node main.ts --options JSON` (`ReplayFeedOptions`). Prints one JSON line when it takes
 * connections, one at the end of the chain; ends on SIGTERM, SIGINT or when its stdin closes. So that encoding blocks
 * does not take time from the thread that is measured.
 */
const { values } = parseArgs({ options: { options: { type: 'string' } } })
const print = (line: ReplayLine) => process.stdout.write(`${JSON.stringify(line)}\n`)

try {
  await serve(JSON.parse(values.options ?? '{"files":[]}') as ReplayFeedOptions)
  process.exit(0)
} catch (error) {
  const code = error instanceof HarnessError ? error.code : 'REPLAY_FEED_DIED'
  print({ event: 'failed', code, message: error instanceof Error ? error.message : String(error) })
  process.exit(1)
}

async function serve(options: ReplayFeedOptions): Promise<void> {
  const ending = new AbortController()
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => ending.abort())
  // The parent is gone, however it ended.
  process.stdin.once('end', () => ending.abort()).once('error', () => ending.abort())
  process.stdin.resume()

  const recording = openRecording(options.files, blockFromJson)
  const chain = await createReplayChain(recording, options)
  const source = await createReplaySource({
    chain,
    encodeBlock,
    startAt: BigInt(options.startAt ?? 0),
    prepared: options.prepared === true,
  })
  // Stdout is the parent's; what is worth a warning goes where it keeps errors.
  const logger = pino({ name: 'replay', level: 'warn' }, pino.destination(2))
  const server = await startExExServer({ source, listen: options.listen ?? '127.0.0.1:0' }, { logger })
  print({ event: 'ready', address: server.address, chainId: 1, genesisHash: chain.genesis.hash })

  /** The slowest connected consumer's height; one that has not acknowledged anything yet is at the beginning. */
  const processed = (): bigint | undefined => {
    let least: bigint | undefined
    for (const consumer of server.consumers()) {
      if (!consumer.connected) continue
      const height = consumer.processed?.number ?? 0n
      if (least === undefined || height < least) least = height
    }
    return least
  }
  const head = await source.run({ processed, signal: ending.signal })
  if (!ending.signal.aborted) {
    print({ event: 'end', head: { number: String(head.number), hash: head.hash } })
    // It goes on serving what it has.
    await new Promise<void>((resolve) =>
      ending.signal.addEventListener('abort', () => resolve(), { once: true }),
    )
  }
  await server.close()
}
