import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { compareWithFreshRun, quietPort, startProcess, startSidecar } from '#harness'
import { binary, seen, startPair } from './startPair.ts'

const python = process.env.PYTHON ?? 'python3'
const relay = fileURLToPath(new URL('official_relay.py', import.meta.url))

test.skipIf(binary === '' || process.env.PYTHON === undefined)(
  'the official service from reth through a server of another language to the sidecar',
  async () => {
    await using pair = await startPair({ seed: 1 })
    const { node, driver, folder } = pair
    const port = await quietPort()
    await using _server = await startProcess({
      name: 'relay',
      file: python,
      args: () => [relay, node.exexAddress, String(port)],
      isReady: (written) => written.includes('serving'),
    })
    await using sidecar = await startSidecar({
      name: 'official',
      url: `grpc://127.0.0.1:${port}`,
      dataDir: join(folder, 'official'),
      settings: [`node.rpc=${node.rpcUrl}`, 'node.consumer_id=official'],
    })
    for (let block = 0; block < 12; block++) await pair.mine(20)
    for (const depth of [1, 3, 6]) {
      await driver.fork(depth)
      for (let more = 0; more <= depth; more++) await pair.mine(10)
    }
    await sidecar.untilDurable(driver.head())
    const held = await compareWithFreshRun(sidecar, node.rpcUrl)
    expect(held.reorgs).toBe(3)
    seen('official service through another language', {
      reorgs: held.reorgs,
      blocks: held.blocks,
      svm: held.svm,
    })
  },
)
