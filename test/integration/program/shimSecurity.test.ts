import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Anvil, startAnvil } from '#harness'
import { makeCertificates } from '../../support/program/makeCertificates.ts'
import { errorOf, untilDurable } from '../../support/program/programAnswers.ts'
import { type Program, runProgram, startProgram } from '../../support/program/startProgram.ts'
import { createStockClient } from '../../support/program/stockClient.ts'
import { type TemporaryFolder, temporaryFolder } from '../../support/program/temporaryFolder.ts'

const http = ['--http', '127.0.0.1:0', '--json']

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
