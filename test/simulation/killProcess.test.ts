import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as pause } from 'node:timers/promises'
import pino from 'pino'
import { expect, test } from 'vitest'
import { resolveConfig } from '#config'
import { createRandom } from '../../harness/random.ts'
import { readIdentity } from '../../sidecar/watermark/openDatabase.ts'
import { openStore } from '../../sidecar/watermark/openStore.ts'
import { temporaryFolder } from '../support/program/temporaryFolder.ts'
import { storeDifferences, vectorDifferences } from '../support/simulation/differences.ts'
import { finalityBounds } from '../support/simulation/finalityBounds.ts'
import { type Feed, openFeed } from '../support/simulation/openFeed.ts'
import { simulationOptions } from '../support/simulation/options.ts'
import { readVectorFolder } from '../support/simulation/readVectorFolder.ts'
import { replayNaively } from '../support/simulation/replayNaively.ts'
import { type SidecarProcess, startSidecar } from '../support/simulation/startSidecar.ts'

const logger = pino({ level: 'silent' })
const set = [
  // All blocks keep their decisions, so that the last look can be at all of them.
  'state.retain_decisions=1000000',
  // Until the node names a finalized block this one stands in, and nothing may turn back below it.
  'finality.depth=64',
  // At each boundary the pipeline waits for LanceDB: with the profile's four blocks it would do little else.
  'context.epoch=32',
  'context.lag=16',
  'vector.optimize_every=50',
]
/** Deeper than any outage lets the chain turn back; the profile keeps the undo of 64 blocks. */
const deepest = 40
const STUCK_MS = 60_000

/** Rows that were committed for the vector store and had not reached it (or were there, unacknowledged). */
function waitingRows(dataDir: string): number {
  const file = join(dataDir, 'state.sqlite')
  if (!existsSync(file)) return 0
  const database = new DatabaseSync(file, { readOnly: true, timeout: 5000 })
  try {
    const hasTable = database
      .prepare("SELECT count(*) AS found FROM sqlite_schema WHERE name = 'outbox'")
      .get()
    if (hasTable?.found !== 1) return 0
    return Number(database.prepare('SELECT total(rows) AS rows FROM outbox').get()?.rows)
  } finally {
    database.close()
  }
}

const consumerOf = ({ server }: Feed, id: string) => server.consumers().find((consumer) => consumer.id === id)

/** Asked again and again: has the server been told of a block made durable since? A reorg alone only lowers the height. */
function nextDurable(served: Feed, id: string): () => boolean {
  const height = () => consumerOf(served, id)?.durable?.number ?? -1n
  let lowest = height()
  return () => {
    const now = height()
    if (now > lowest) return true
    lowest = now
    return false
  }
}

async function until(
  what: string,
  process: SidecarProcess,
  isReached: () => boolean,
  everyMs = 2,
): Promise<void> {
  const started = performance.now()
  while (!isReached()) {
    if (!process.isRunning())
      throw new Error(`the sidecar ended before ${what}: ${(await process.ended).stderr}`)
    if (performance.now() - started > STUCK_MS) {
      process.send('SIGKILL')
      throw new Error(`no ${what} after ${STUCK_MS} ms: ${(await process.ended).stderr}`)
    }
    await pause(everyMs)
  }
}

/** Ends it in order once it has everything, and returns its summary. */
async function finish(
  served: Feed,
  id: string,
  dataDir: string,
  process: SidecarProcess,
): Promise<Record<string, unknown>> {
  await until('address', process, () => process.stderr().includes('http://'))
  await until('durable head', process, () => {
    const consumer = consumerOf(served, id)
    return consumer?.connected === true && consumer.durable?.hash === served.feed.head.hash
  })
  await until('empty outbox', process, () => waitingRows(dataDir) === 0, 50)
  process.send('SIGTERM')
  const { code, stdout, stderr } = await process.ended
  expect(code, stderr).toBe(0)
  return JSON.parse(stdout) as Record<string, unknown>
}

test('kill -9 at any instant loses nothing and applies nothing twice', async () => {
  const { seed, kills } = simulationOptions
  const random = createRandom(seed, 'kill')
  await using folder = await temporaryFolder()
  await using served = await openFeed({ seed: `kill ${seed}`, random, deepest }, { logger })
  const url = `grpc://${served.server.address}`
  const dataDir = join(folder.path, 'killed')
  const start = (id: string, directory: string) =>
    startSidecar({ url, dataDir: directory, set: [...set, `node.consumer_id=${id}`] })

  // The chain goes on whatever becomes of the sidecar, slower than it can follow.
  let isFlowing = true
  const flow = (async () => {
    while (isFlowing) {
      served.change()
      await pause(random.chance(0.2) ? 1 : 80 + random.below(250))
    }
  })()

  let between = 0
  let duringStart = 0
  try {
    for (let kill = 0; kill < kills; kill++) {
      const process = start('killed', dataDir)
      const hasCommitted = nextDurable(served, 'killed')
      if (kill % 3 === 0) {
        // At any time, starting up included.
        await pause(random.below(2_500))
        if (!hasCommitted()) duringStart++
      } else {
        await until('durable block', process, hasCommitted, 1)
        // Some time later; or at once, when the vector store is just being told.
        await pause(kill % 3 === 1 ? random.below(400) : random.below(12))
      }
      expect(process.isRunning(), 'the sidecar ends by nothing but the kill').toBe(true)
      process.send('SIGKILL')
      await process.ended
      if (waitingRows(dataDir) > 0) between++
    }
  } finally {
    isFlowing = false
    await flow
  }
  const last = await finish(served, 'killed', dataDir, start('killed', dataDir))
  console.log(
    `${kills} kills over ${served.node.head.number} blocks: ${between} between commit and vector write, ${duringStart} before the first commit of a start`,
  )

  const { config } = resolveConfig({ command: 'attach', profile: 'test', env: {}, flags: { url, set } })
  const naive = await replayNaively(
    { config, chainId: served.feed.chainId, blocks: served.node.blocks },
    { logger },
  )
  const store = openStore(
    {
      directory: dataDir,
      identity: readIdentity(dataDir, { logger })!,
      undoDepth: config.state.undoDepth,
      retainDecisions: config.state.retainDecisions,
      readOnly: true,
    },
    { logger },
  )
  try {
    const finality = finalityBounds(served.node, served.highest, config.finality.depth)
    expect(await storeDifferences(store, served.node, naive, { prunedTo: -1n, finality })).toEqual([])
    const contents = await readVectorFolder(join(dataDir, 'vector'))
    expect(vectorDifferences(contents, naive, store.progress().finalized)).toEqual([])
  } finally {
    store.close()
  }
  if (kills >= 20) expect(between, 'kills between the commit and the vector write').toBeGreaterThan(0)

  // The same program, never killed, on the chain as it ended.
  await using other = await temporaryFolder()
  const undisturbed = await finish(served, 'undisturbed', other.path, start('undisturbed', other.path))
  for (const name of [
    'blocks',
    'transactions',
    'routes',
    'svm',
    'decisionsHash',
    'head',
    'durable',
    'finalized',
  ]) {
    expect(last[name], name).toEqual(undisturbed[name])
  }
})
