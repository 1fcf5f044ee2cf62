import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { resolveConfig } from '#config'
import { buildBlock, createScriptedFeed } from '../../../harness/feed/index.ts'
import { type Bridge, startBridge } from '../../../sidecar/bridge.ts'
import { quiet } from './observedConsumer.ts'
import { startScriptedOfficial } from './scriptedOfficial.ts'

/** An answer is waited for as long as it takes on whatever machine. */
const patiently = { timeout: 60_000 }
const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const chain = (() => {
  let parent = createScriptedFeed().genesis
  return Array.from({ length: 12 }, () => {
    const block = buildBlock({ parent, transactions: [], timestamp: 1n })
    parent = block.ref
    return block
  })
})()

test('the sidecar follows the official service from the first block received, and stops at a gap by name', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'monmouth-official-'))
  closing.push(() => rm(dataDir, { recursive: true, force: true }))
  const server = await startScriptedOfficial(closing)
  const { config } = resolveConfig({ profile: 'test', env: {}, flags: {} })
  const start = async () => {
    const bridge = await startBridge({
      config,
      url: server.url,
      dataDir,
      logger: quiet,
      signal: new AbortController().signal,
    })
    closing.push(() => bridge.stop())
    await expect.poll(server.consumers, patiently).toBe(1)
    return bridge
  }
  /** Until the server knows: what it sends next would go to the one that left. */
  const stop = async (bridge: Bridge) => {
    await bridge.stop()
    await expect.poll(server.consumers, patiently).toBe(0)
  }
  const first = await start()
  for (const block of chain.slice(2, 6)) server.commit(block)
  await first.untilDurable(chain[5]!.ref)
  expect(first.view.status()).toMatchObject({ blocks: 4, durable: { number: 6 } })
  await stop(first)

  // What comes next follows what is stored: it goes on.
  const second = await start()
  server.commit(chain[6]!)
  await second.untilDurable(chain[6]!.ref)
  expect(second.view.status().blocks).toBe(5)
  await stop(second)

  // One block is missing: without a node to fill it from, applying stops and health says why.
  const third = await start()
  server.commit(chain[8]!)
  await expect(third.failed).rejects.toMatchObject({ code: 'GAP' })
  expect(third.view.problems()).toMatchObject([{ code: 'GAP', fatal: true }])
  expect(third.view.status().durable).toMatchObject({ number: 7 })
})
