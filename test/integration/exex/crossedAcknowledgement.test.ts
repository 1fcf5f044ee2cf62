import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { resolveConfig } from '#config'
import { openVectorStore } from '#vector'
import { startFaultyProxy } from '../../../harness/feed/index.ts'
import { startBridge } from '../../../sidecar/bridge.ts'
import { quiet } from './observedConsumer.ts'
import { startScriptedServer } from './startScriptedServer.ts'

/** An answer is waited for as long as it takes on whatever machine. */
const patiently = { timeout: 60_000 }

test('a sidecar behind its node acknowledges nothing that a lost connection hid the undo of', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'monmouth-crossed-'))
  const subject = await startScriptedServer()
  const { feed, server } = subject
  const proxy = await startFaultyProxy(server.address)
  const gate = Promise.withResolvers<void>()
  let isWaiting = false
  const set = ['context.epoch=4', 'context.lag=2', 'exex.max_blocks_before_commit=1']
  const { config } = resolveConfig({ profile: 'test', env: {}, flags: { set } })
  const bridge = await startBridge({
    config,
    url: `grpc://${proxy.address}`,
    dataDir,
    logger: quiet,
    signal: new AbortController().signal,
    // The first block that needs context waits for it, and so does all that is received after it.
    openVector: async (...args) => {
      const store = await openVectorStore(...args)
      return {
        ...store,
        async patternsAt(boundary) {
          isWaiting = true
          await gate.promise
          return store.patternsAt(boundary)
        },
      }
    },
  })
  onTestFinished(async () => {
    gate.resolve()
    await bridge.stop()
    await proxy.close()
    await subject.close()
    await rm(dataDir, { recursive: true, force: true })
  })
  const isReceived = () => bridge.view.status().head?.hash === feed.head.hash

  feed.commit(6)
  await expect.poll(() => isWaiting, patiently).toBe(true)
  // Received and not worked on.
  feed.commit(4)
  await expect.poll(isReceived, patiently).toBe(true)
  const undone = feed.canonical.slice(-3)
  // Twice the connection is lost: the second session begins by taking three blocks back, the third one above them.
  proxy.cut()
  feed.reorg(3, 8)
  await expect.poll(isReceived, patiently).toBe(true)
  proxy.cut()
  feed.commit(1)
  await expect.poll(isReceived, patiently).toBe(true)

  const durable: string[] = []
  bridge.listen((event) => event.type === 'durable' && durable.push(event.block.hash))
  gate.resolve()
  await Promise.race([bridge.untilDurable(feed.head), bridge.failed])
  // They were made durable on the way, one by one.
  expect(durable).toEqual(expect.arrayContaining(undone.map(({ hash }) => hash)))
  await expect.poll(() => server.consumers()[0]?.durable, patiently).toEqual(feed.head)
  expect(bridge.view.problems()).toEqual([])
})
