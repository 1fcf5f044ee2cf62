import { join } from 'node:path'
import pino from 'pino'
import { feedFaults, startFaultyProxy } from '../../../harness/feed/index.ts'
import { createRandom } from '../../../harness/random.ts'
import { type Bridge, startBridge } from '../../../sidecar/bridge.ts'
import { readIdentity } from '../../../sidecar/watermark/openDatabase.ts'
import { openStore } from '../../../sidecar/watermark/openStore.ts'
import { storeDifferences, vectorDifferences } from './differences.ts'
import { finalityBounds } from './finalityBounds.ts'
import { openFeed } from './openFeed.ts'
import { randomConfig } from './randomConfig.ts'
import { readVectorFolder } from './readVectorFolder.ts'
import { replayNaively } from './replayNaively.ts'
import { noFacts, type RunFacts } from './runInProcess.ts'

const logger = pino({ level: 'silent' })
/** Far beyond what it takes to be at rest. */
const STUCK_MS = 60_000

/**
 * One run over everything but the process itself: the composition root, real gRPC through a proxy that breaks the wire
 * by name, LanceDB. What is drawn comes from the seed; how it interleaves is the machine's.
 */
export async function runOverWire({
  seed,
  directory,
}: {
  readonly seed: number
  readonly directory: string
}): Promise<RunFacts> {
  const random = createRandom(seed, 'wire')
  const config = randomConfig(random)
  const facts: RunFacts = { ...noFacts }
  await using served = await openFeed(
    { seed: `wire ${seed}`, random, deepest: config.state.undoDepth - 1 },
    { logger },
  )
  const { node, feed, server } = served
  const proxy = await startFaultyProxy(server.address)
  const lifetime = new AbortController()
  const start = () =>
    startBridge({
      config,
      url: `grpc://${proxy.address}`,
      dataDir: join(directory, 'data'),
      logger,
      signal: lifetime.signal,
    })
  let bridge: Bridge = await start()

  const isQuiet = () => {
    const { durable, finalized } = bridge.view.status()
    const atHead = (durable?.hash ?? feed.genesis.hash) === feed.head.hash
    const knowsFinal = node.finalized === undefined || finalized?.hash === node.finalized.hash
    return atHead && knowsFinal && outboxRows() === 0
  }
  const store = () => {
    const identity = readIdentity(join(directory, 'data'), { logger })!
    const { undoDepth, retainDecisions } = config.state
    return openStore(
      { directory: join(directory, 'data'), identity, undoDepth, retainDecisions, readOnly: true },
      { logger },
    )
  }
  const outboxRows = () => {
    const opened = store()
    try {
      return opened.outboxRows()
    } finally {
      opened.close()
    }
  }
  const quiet = async () => {
    const started = performance.now()
    while (!isQuiet()) {
      if (performance.now() - started > STUCK_MS) {
        throw new Error(
          `stuck: ${JSON.stringify(bridge.view.status())}, head ${feed.head.number}; ${JSON.stringify(bridge.view.problems())}`,
        )
      }
      await Promise.race([new Promise((resolve) => setTimeout(resolve, 5)), bridge.failed])
    }
  }
  const check = async (when: string) => {
    await quiet()
    facts.undone = bridge.view.status().blocksReverted
    // What is staged is made durable and carried to the vector store; nothing moves after that.
    await bridge.stop()
    facts.checks++
    const naive = await replayNaively({ config, chainId: feed.chainId, blocks: node.blocks }, { logger })
    facts.envelopes = naive.results.reduce((sum, results) => sum + results.length, 0)
    const opened = store()
    try {
      const prunedTo = BigInt(feed.canonical.length + 20) - BigInt(config.state.retainDecisions)
      const finality = finalityBounds(node, served.highest, config.finality.depth)
      const differences = await storeDifferences(opened, node, naive, { prunedTo, finality })
      const contents = await readVectorFolder(join(directory, 'data', 'vector'))
      const { finalized } = opened.progress()
      if (finalized !== undefined) facts.finalized++
      differences.push(...vectorDifferences(contents, naive, finalized))
      if (differences.length > 0)
        throw new Error(`${when}, at block ${node.head.number}:\n${differences.join('\n')}`)
    } finally {
      opened.close()
    }
  }
  const actions: readonly (readonly [() => void | Promise<void>, number])[] = [
    [() => served.change(), 20],
    [
      () => {
        facts.gaps++
        proxy.inject(random.pick(feedFaults))
      },
      4,
    ],
    [
      () => {
        facts.resumes++
        proxy.cut()
      },
      2,
    ],
    [
      async () => {
        facts.kills++
        await bridge.stop()
        for (let changes = random.below(4); changes > 0; changes--) served.change()
        bridge = await start()
      },
      2,
    ],
  ]
  try {
    const steps = 20 + random.below(15)
    for (let step = 0; step < steps; step++) {
      facts.steps++
      await random.weighted(actions)()
      if (random.chance(0.5)) await new Promise((resolve) => setTimeout(resolve, random.below(40)))
    }
    // A fault that waits for a notification gets one.
    while (proxy.pending.length > 0) {
      served.change()
      await Promise.race([new Promise((resolve) => setTimeout(resolve, 20)), bridge.failed])
    }
    await check('at the end')
    facts.blocks = node.blocks.length
    return facts
  } finally {
    await bridge.stop()
    await proxy.close()
  }
}
