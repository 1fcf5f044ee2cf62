import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'vitest'
import { quietPort, startAnvil } from '#harness'
import { errorOf, healthOf, statusOf, untilDurable } from '../../support/program/programAnswers.ts'

import { runProgram, startProgram } from '../../support/program/startProgram.ts'
import { createStockClient } from '../../support/program/stockClient.ts'
import { temporaryFolder } from '../../support/program/temporaryFolder.ts'

const http = ['--http', '127.0.0.1:0', '--json']

// Together: they mostly wait.
test.concurrent('a node or shim that is not there: code 4, and its address in the message', async ({
  expect,
}) => {
  await using folder = await temporaryFolder()
  const closed = await quietPort()
  const urls = ['http', 'ws', 'grpc'].map((scheme) => `${scheme}://127.0.0.1:${closed}`)
  const runs = urls.map(async (url, i) => {
    const dataDir = join(folder.path, String(i))
    const run = await runProgram(['attach', url, '--data-dir', dataDir, ...http])
    expect.soft({ url, code: run.code }).toEqual({ url, code: 4 })
    const { code, message } = errorOf(run)
    expect.soft(code).toBe('UNAVAILABLE')
    expect.soft(message).toContain(`127.0.0.1:${closed}`)
    expect.soft(message).not.toContain('undefined')
    expect.soft(run.stderr).toContain(`monmouth: ${message}`)
    expect.soft(existsSync(dataDir), 'a data directory for a chain nobody knows').toBe(false)
  })
  await Promise.all(runs)
})

test.concurrent('a node that dies and comes back: health is red without being fatal, then green', async ({
  expect,
}) => {
  await using folder = await temporaryFolder()
  const port = await quietPort()
  const node = await startAnvil({ port })
  await createStockClient(node).mine(3)
  await using program = await startProgram(['attach', node.wsUrl, '--data-dir', folder.path, ...http])
  await program.until('/ready', ({ status }) => status === 200)

  await node.kill()
  const red = await program.until('/health', ({ status }) => status === 503)
  expect(healthOf(red).problems).toMatchObject([{ code: 'NODE_UNREACHABLE', fatal: false }])
  expect(healthOf(red).problems[0]!.message).toContain(`127.0.0.1:${port}`)
  expect((await program.get('/ready')).status).toBe(503)
  // What is stored is still the chain as it was last known.
  expect((await program.get('/decisions')).status).toBe(200)

  await using back = await startAnvil({ port })
  const head = await createStockClient(back).mine(5)
  await untilDurable(program, head)
  await program.until('/ready', ({ status }) => status === 200)
  expect(healthOf(await program.get('/health'))).toEqual({ healthy: true, problems: [] })
})

test.concurrent('a shim that dies and comes back is waited for, and its consumer goes on', async ({
  expect,
}) => {
  await using folder = await temporaryFolder()
  await using node = await startAnvil()
  const client = createStockClient(node)
  await client.mine(3)
  const startShim = (listen: string) =>
    startProgram(['shim', '--rpc', node.wsUrl, '--listen', listen, '--json'])
  const shim = await startShim(`127.0.0.1:${await quietPort()}`)
  await using program = await startProgram(['attach', shim.address, '--data-dir', folder.path, ...http])
  await program.until('/ready', ({ status }) => status === 200)
  await shim.stop('SIGKILL')
  const red = await program.until('/health', ({ status }) => status === 503)
  expect(healthOf(red).problems).toMatchObject([{ code: 'NODE_UNREACHABLE', fatal: false }])
  await using _ = await startShim(shim.address.replace('grpc://', ''))
  const head = await client.mine(4)
  await untilDurable(program, head)
  await program.until('/health', ({ status }) => status === 200)
  expect((await statusOf(program)).blocks).toBe(head.number)

  // The shim is there, what is behind it is not: the shim says so, in its words.
  await node.kill()
  await program.until('/ready', ({ status }) => status === 503)
  const behind = await program.until('/health', ({ status }) => status === 503)
  expect(healthOf(behind).problems).toMatchObject([
    { code: 'NODE_UNREACHABLE', message: expect.stringContaining(new URL(node.wsUrl).host), fatal: false },
  ])
})
