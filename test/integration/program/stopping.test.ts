import { expect, test } from 'vitest'
import { runTraffic, startAnvil } from '#harness'
import type { Status } from '../../../sidecar/status.ts'
import { documentOf, reproducible, statusOf, untilDurable } from '../../support/program/programAnswers.ts'
import { runProgram, startProgram } from '../../support/program/startProgram.ts'
import { createStockClient } from '../../support/program/stockClient.ts'
import { temporaryFolder } from '../../support/program/temporaryFolder.ts'

/** Slow enough that the chain stays short where starting a program takes long. */
const trafficOptions = {
  ...{ blockTimeMs: 150, txPerBlock: 20, svmShare: 0.4, seed: 5 },
  ...{ reorgEvery: 9, reorgDepth: 2 },
}

test('stopped during traffic, the state is durable and the next start goes on, with nothing twice', async () => {
  await using folder = await temporaryFolder()
  await using fresh = await temporaryFolder()
  await using node = await startAnvil({ slotsInAnEpoch: 3 })
  const attach = (dataDir: string) =>
    startProgram(['attach', node.wsUrl, '--data-dir', dataDir, '--http', '127.0.0.1:0', '--json'])
  const traffic = new AbortController()
  const running = runTraffic(node, trafficOptions, { signal: traffic.signal })
  await using _ = {
    async [Symbol.asyncDispose]() {
      traffic.abort()
      await running
    },
  }

  const stopped = await (async () => {
    await using first = await attach(folder.path)
    await first.until('/status', ({ body }) => (body as Status).blocks >= 12)
    // Code 0 also says that it took less than the 5 s after which it ends itself.
    const ended = await first.stop('SIGTERM')
    expect(ended.code, ended.stderr).toBe(0)
    return documentOf<Status>(ended)
  })()
  expect(stopped.blocks).toBe(stopped.durable!.number)

  await (async () => {
    await using second = await attach(folder.path)
    await second.until('/status', ({ body }) => (body as Status).blocks > stopped.blocks)
    // Two signals at once, however long sending them takes: the second ends it there and then, by the code of a signal.
    second.send('SIGSTOP')
    second.send('SIGTERM')
    second.send('SIGINT')
    second.send('SIGCONT')
    const ended = await second.ended
    expect([130, 143], ended.stderr).toContain(ended.code)
  })()

  await using third = await attach(folder.path)
  await third.until('/status', ({ body }) => (body as Status).blocks > stopped.blocks)
  traffic.abort()
  await running
  const head = await createStockClient(node).head()
  const resumed = await untilDurable(third, head)
  expect(resumed.blocks).toBe(head.number)

  // Someone who saw it in one go, and only what the chain is in the end, has the same.
  await using witness = await attach(fresh.path)
  await untilDurable(witness, head)
  const { reorgs: _seen, blocksReverted: _undone, ...chain } = reproducible(await statusOf(witness))
  expect(chain.svm.executed).toBeGreaterThan(0)
  expect(resumed).toMatchObject(chain)

  await third.stop('SIGTERM')
  const verified = await runProgram(['verify', '--data-dir', folder.path, '--json'])
  expect(documentOf(verified)).toMatchObject({ sound: true, problems: [], durable: head })
}, 300_000)
