import { closeSync, existsSync, fstatSync, openSync, readdirSync, writeSync } from 'node:fs'
import { cp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { Keypair } from '@solana/web3.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Anvil, startAnvil } from '#harness'
import type { Status } from '../../../sidecar/status.ts'
import { limitedFolder, noLimitedFolder } from '../../support/program/limitedFolder.ts'
import { documentOf, errorOf, statusOf, untilDurable } from '../../support/program/programAnswers.ts'
import { type Ended, runProgram, startProgram } from '../../support/program/startProgram.ts'
import { createStockClient, type StockClient } from '../../support/program/stockClient.ts'
import { type TemporaryFolder, temporaryFolder } from '../../support/program/temporaryFolder.ts'

if (noLimitedFolder) console.warn(`full and read-only disks skipped: ${noLimitedFolder}`)

describe('a data directory that cannot be used', () => {
  const resources = new AsyncDisposableStack()
  const wallet = Keypair.generate()
  let node: Anvil
  let client: StockClient
  let folder: TemporaryFolder
  /** Of a run that stopped well; copied, so that each test spoils its own. */
  let original: string
  let before: Status
  let copies = 0

  beforeAll(async () => {
    node = resources.use(await startAnvil({ slotsInAnEpoch: 4 }))
    client = createStockClient(node)
    await client.deposit(wallet.publicKey, 1_000_000n)
    await client.mine(20)
    folder = resources.use(await temporaryFolder())
    original = join(folder.path, 'original')
    before = await followTo(original)
  })
  afterAll(() => resources.disposeAsync())

  const attach = (dataDir: string, ...more: string[]) => [
    ...['attach', more[0]?.startsWith('http') ? more.shift()! : node.rpcUrl],
    ...['--data-dir', dataDir, '--http', '127.0.0.1:0', '--json', ...more],
  ]
  const copied = async () => {
    const path = join(folder.path, `copy${copies++}`)
    await cp(original, path, { recursive: true })
    return path
  }
  /** Runs until all that the node has is durable, and stops. */
  const followTo = async (dataDir: string): Promise<Status> => {
    await using program = await startProgram(attach(dataDir))
    await untilDurable(program, await client.head())
    const ended = await program.stop()
    expect(ended.code, ended.stderr).toBe(0)
    return documentOf<Status>(ended)
  }
  const expectRefused = (ended: Ended, code: string, ...words: (string | RegExp)[]) => {
    const error = errorOf(ended)
    expect
      .soft({ exit: ended.code, code: error.code, message: error.message })
      .toMatchObject({ exit: 3, code })
    for (const word of words) expect.soft(error.message).toMatch(word)
    expect.soft(ended.stderr).toContain(`monmouth: ${error.message}`)
  }
  const expectIntact = async (dataDir: string) => {
    const ended = await runProgram(['verify', '--data-dir', dataDir, '--json'])
    expect.soft(documentOf(ended)).toMatchObject({ sound: true, problems: [], durable: before.durable })
  }

  test('of another chain, another genesis or another setting: named, with both values, and left as it is', async () => {
    await using otherChain = await startAnvil({ chainId: 4242 })
    await using otherGenesis = await startAnvil({ genesisTimestamp: 1_600_000_000 })
    const [chain, genesis, setting] = await Promise.all([
      runProgram(attach(original, otherChain.rpcUrl)),
      runProgram(attach(original, otherGenesis.rpcUrl)),
      runProgram(attach(original, '--set', 'learn.lag=3', '--set', 'state.undo_depth=128')),
    ])
    const rebuild = ['--data-dir', 'rebuild', original]
    expectRefused(chain, 'IDENTITY_MISMATCH', /chainId is 31337 there, 4242 was given/, ...rebuild)
    expectRefused(genesis, 'IDENTITY_MISMATCH', /genesisHash is 0x[0-9a-f]{64} there/, ...rebuild)
    expectRefused(setting, 'IDENTITY_MISMATCH', /learn\.lag is 1 there, 3 was given/, ...rebuild)
    // Of the settings only what decides is bound.
    expect(errorOf(setting).message).not.toContain('undo_depth')
    await expectIntact(original)
  })

  test('in use: the second process says whose it is, and the first goes on', async () => {
    const dataDir = await copied()
    await using first = await startProgram(attach(dataDir))
    const second = await runProgram(attach(dataDir))
    expectRefused(second, 'DATA_DIR_IN_USE', dataDir, new RegExp(`process ${first.pid}`))
    const { head } = await untilDurable(first, await client.mine())
    expect(head!.number).toBeGreaterThan(before.head!.number)
  })

  test('an address in use is a matter of usage, and nothing is lost', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as AddressInfo
    const dataDir = await copied()
    const ended = await runProgram([...attach(dataDir), '--http', `127.0.0.1:${port}`])
    server.close()
    expect(ended.code, ended.stderr).toBe(2)
    expect(errorOf(ended)).toMatchObject({
      code: 'HTTP_LISTEN',
      message: expect.stringContaining(String(port)),
    })
    const listenTaken = await runProgram([
      'shim',
      '--rpc',
      node.rpcUrl,
      '--listen',
      new URL(node.rpcUrl).host,
      '--json',
    ])
    expect.soft(listenTaken.code, listenTaken.stderr).toBe(2)
    expect.soft(errorOf(listenTaken).message).toContain(new URL(node.rpcUrl).host)
  })

  test('a file where the directory should be', async () => {
    const file = join(folder.path, 'file')
    await writeFile(file, 'of someone else')
    for (const dataDir of [file, join(file, 'below')]) {
      expectRefused(await runProgram(attach(dataDir)), 'STORE_READ_ONLY', file)
    }
    expect(await readFile(file, 'utf8')).toBe('of someone else')
  })

  test('a damaged database: named, and not touched', async () => {
    const dataDir = await copied()
    const file = join(dataDir, 'state.sqlite')
    spoil(file, 0.25, 0.75)
    const spoilt = await readFile(file)
    expectRefused(await runProgram(attach(dataDir)), 'STORE_DAMAGED', file, /copy/, /rebuild/)
    // Neither removed nor written over, for whoever wants to look.
    const middle = (bytes: Buffer) => bytes.subarray(spoilt.length * 0.3, spoilt.length * 0.7)
    expect(middle(await readFile(file)).equals(middle(spoilt))).toBe(true)

    const notOne = await copied()
    await writeFile(join(notOne, 'state.sqlite'), 'not a database at all'.repeat(1000))
    expectRefused(await runProgram(attach(notOne)), 'STORE_DAMAGED', join(notOne, 'state.sqlite'))
  })

  test('damaged or missing vectors: named, and nothing is made anew beside old state', async () => {
    const [damaged, missingTable, missing] = [await copied(), await copied(), await copied()]
    const data = join(damaged, 'vector/transactions.lance/data')
    for (const name of readdirSync(data)) spoil(join(data, name), 0, 1)
    await rm(join(missingTable, 'vector/patterns.lance'), { recursive: true })
    await rm(join(missing, 'vector'), { recursive: true })
    const runs = await Promise.all([damaged, missingTable, missing].map((path) => runProgram(attach(path))))
    expectRefused(runs[0]!, 'STORE_DAMAGED', join(damaged, 'vector'))
    expectRefused(runs[1]!, 'TABLE_MISSING', 'patterns', join(missingTable, 'vector'))
    expectRefused(runs[2]!, 'STORE_MISSING', join(missing, 'vector'))
    expect(existsSync(join(missing, 'vector'))).toBe(false)
    await expectIntact(missing)
  })

  test.skipIf(noLimitedFolder)('read-only: said, with the place', async () => {
    await using disk = await limitedFolder(64)
    const dataDir = join(disk.path, 'data')
    await cp(original, dataDir, { recursive: true })
    disk.setReadOnly()
    expectRefused(await runProgram(attach(dataDir)), 'STORE_READ_ONLY', dataDir)
    expectRefused(await runProgram(attach(join(disk.path, 'new'))), 'STORE_READ_ONLY', join(disk.path, 'new'))
  })

  test.skipIf(noLimitedFolder)('a disk that fills up: it stops, and goes on when there is room', async () => {
    await using disk = await limitedFolder(96)
    const dataDir = join(disk.path, 'data')
    await cp(original, dataDir, { recursive: true })
    {
      await using program = await startProgram(attach(dataDir))
      await untilDurable(program, await client.head())
      disk.fill()
      await client.deposit(wallet.publicKey, 5_000n)
      expectRefused(await program.ended, 'DISK_FULL', dataDir, /free some space/i)
    }
    disk.release()
    await followTo(dataDir)
    await using witness = await temporaryFolder()
    const { svm, decisionsHash, blocks } = await followTo(witness.path)
    await using again = await startProgram(attach(dataDir))
    expect(await statusOf(again)).toMatchObject({ svm, decisionsHash, blocks })
  })
})

/** Overwrites a part of a file, from one share of its length to another. */
function spoil(path: string, from: number, to: number): void {
  const file = openSync(path, 'r+')
  const { size } = fstatSync(file)
  const start = Math.floor(size * from)
  writeSync(file, Buffer.alloc(Math.floor(size * to) - start, 0xa5), 0, undefined, start)
  closeSync(file)
}
