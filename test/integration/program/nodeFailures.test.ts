import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Anvil, startAnvil } from '#harness'
import { makeCertificates } from '../../support/program/makeCertificates.ts'
import { errorOf, healthOf, statusOf, untilDurable } from '../../support/program/programAnswers.ts'
import { type Program, runProgram, startProgram } from '../../support/program/startProgram.ts'
import { createStockClient } from '../../support/program/stockClient.ts'
import { type TemporaryFolder, temporaryFolder } from '../../support/program/temporaryFolder.ts'

const http = ['--http', '127.0.0.1:0', '--json']

test('a node or shim that is not there: code 4, and its address in the message', async () => {
  await using folder = await temporaryFolder()
  const urls = ['http://127.0.0.1:1', 'ws://127.0.0.1:1', 'grpc://127.0.0.1:1']
  const runs = urls.map(async (url, i) => {
    const dataDir = join(folder.path, String(i))
    const run = await runProgram(['attach', url, '--data-dir', dataDir, ...http])
    expect.soft({ url, code: run.code }).toEqual({ url, code: 4 })
    const { code, message } = errorOf(run)
    expect.soft(code).toBe('UNAVAILABLE')
    expect.soft(message).toContain('127.0.0.1:1')
    expect.soft(message).not.toContain('undefined')
    expect.soft(run.stderr).toContain(`monmouth: ${message}`)
    expect.soft(existsSync(dataDir), 'a data directory for a chain nobody knows').toBe(false)
  })
  await Promise.all(runs)
})

test('a node that dies and comes back: health is red without being fatal, then green', async () => {
  await using folder = await temporaryFolder()
  const node = await startAnvil()
  const { port } = new URL(node.rpcUrl)
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

  await using back = await startAnvil({ port: Number(port) })
  const head = await createStockClient(back).mine(5)
  await untilDurable(program, head)
  await program.until('/ready', ({ status }) => status === 200)
  expect(healthOf(await program.get('/health'))).toEqual({ healthy: true, problems: [] })
})

const hasOpenssl = (() => {
  try {
    execFileSync('openssl', ['version'])
    return true
  } catch (error) {
    console.warn(`TLS tests skipped: no openssl (${(error as Error).message})`)
    return false
  }
})()

describe.skipIf(!hasOpenssl)('a shim with TLS and a token', () => {
  const resources = new AsyncDisposableStack()
  let folder: TemporaryFolder
  let node: Anvil
  let shim: Program
  let files: { ca: string; otherCa: string; token: string; wrongToken: string }

  beforeAll(async () => {
    folder = resources.use(await temporaryFolder())
    node = resources.use(await startAnvil())
    const { caFile, certFile, keyFile } = makeCertificates(join(folder.path, 'tls'))
    files = {
      ca: caFile,
      otherCa: makeCertificates(join(folder.path, 'other')).caFile,
      token: join(folder.path, 'token'),
      wrongToken: join(folder.path, 'wrong'),
    }
    await writeFile(files.token, 'correct-horse\n')
    await writeFile(files.wrongToken, 'battery-staple\n')
    shim = resources.use(
      await startProgram([
        ...['shim', '--rpc', node.wsUrl, '--listen', '127.0.0.1:0', '--json'],
        ...['--set', `shim.tls_cert_file=${certFile}`, '--set', `shim.tls_key_file=${keyFile}`],
        ...['--set', `shim.token_file=${files.token}`],
      ]),
    )
  })
  afterAll(() => resources.disposeAsync())

  const attach = (url: string, ca: string | undefined, token: string | undefined, name: string) => [
    ...['attach', url, '--data-dir', join(folder.path, name), ...http],
    ...(ca ? ['--set', `node.tls_ca_file=${ca}`] : []),
    ...(token ? ['--set', `node.token_file=${token}`] : []),
  ]

  test('takes who has both', async () => {
    expect(shim.address).toMatch(/^grpcs:\/\//)
    const head = await createStockClient(node).mine(4)
    await using program = await startProgram(attach(shim.address, files.ca, files.token, 'right'))
    const status = await untilDurable(program, head)
    expect(status.head).toEqual(head)
    const stopped = await program.stop('SIGTERM')
    expect(stopped.code, stopped.stderr).toBe(0)
    expect(stopped.stdout + stopped.stderr).not.toContain('correct-horse')
  })

  test('refuses a wrong token, a missing one, an authority it is not of, and talk without TLS: code 4', async () => {
    const plain = shim.address.replace('grpcs:', 'grpc:')
    const cases = [
      { name: 'wrong token', args: attach(shim.address, files.ca, files.wrongToken, 'a'), says: /token/ },
      { name: 'no token', args: attach(shim.address, files.ca, undefined, 'b'), says: /no token/ },
      {
        name: 'other authority',
        args: attach(shim.address, files.otherCa, files.token, 'c'),
        says: /certificate/,
      },
      { name: 'no TLS', args: attach(plain, undefined, files.token, 'd'), says: /127\.0\.0\.1/ },
    ]
    const runs = cases.map(async ({ name, args, says }) => {
      const run = await runProgram(args)
      expect.soft({ name, code: run.code, stderr: run.stderr }).toMatchObject({ name, code: 4 })
      expect.soft(errorOf(run).message, name).toMatch(says)
      expect.soft(run.stdout + run.stderr, name).not.toMatch(/battery-staple|correct-horse/)
    })
    await Promise.all(runs)
    expect(existsSync(join(folder.path, 'a'))).toBe(false)
  })

  test('SIGTERM ends the shim with code 0, and one JSON document was written', async () => {
    const ended = await shim.stop('SIGTERM')
    expect(ended.code, ended.stderr).toBe(0)
    expect(JSON.parse(ended.stdout)).toMatchObject({ listening: shim.address })
  })
})

test('a shim that dies and comes back is waited for, and its consumer goes on', async () => {
  await using folder = await temporaryFolder()
  await using node = await startAnvil()
  const client = createStockClient(node)
  await client.mine(3)
  const startShim = (listen: string) =>
    startProgram(['shim', '--rpc', node.wsUrl, '--listen', listen, '--json'])
  const shim = await startShim('127.0.0.1:0')
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
})
