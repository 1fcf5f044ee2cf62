import { Keypair } from '@solana/web3.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Anvil, startAnvil } from '#harness'
import type { ContextAnswer } from '#vector'
import type { Status } from '../../../sidecar/status.ts'
import { type ChainLine, collectEvents, type EventCollector } from '../../support/program/collectEvents.ts'
import { documentOf, healthOf, untilDurable } from '../../support/program/programAnswers.ts'
import { type Program, runProgram, startProgram } from '../../support/program/startProgram.ts'
import { createStockClient, type StockClient } from '../../support/program/stockClient.ts'
import { type TemporaryFolder, temporaryFolder } from '../../support/program/temporaryFolder.ts'

/** Blocks the node has before anyone attaches. */
const history = 150
const deposited = 2_000_000_000n
const sent = 750_000_000
const fee = 5_000n

describe('attach to a JSON-RPC node, with a stock wallet', () => {
  const resources = new AsyncDisposableStack()
  const payer = Keypair.generate()
  const receiver = Keypair.generate()
  let node: Anvil
  let client: StockClient
  let folder: TemporaryFolder
  let program: Program
  let events: EventCollector
  let transfer: Awaited<ReturnType<StockClient['transfer']>>

  beforeAll(async () => {
    node = resources.use(await startAnvil({ slotsInAnEpoch: 4 }))
    client = createStockClient(node)
    await client.mine(history)
    folder = resources.use(await temporaryFolder())
    program = resources.use(
      await startProgram([
        ...['attach', node.wsUrl, '--data-dir', folder.path, '--http', '127.0.0.1:0', '--json'],
        ...['--set', 'shim.poll_interval=50'],
      ]),
    )
  })
  afterAll(() => resources.disposeAsync())

  const lamports = (key: Keypair) => async () => {
    const { status, body } = await program.get(`/accounts/${key.publicKey.toBase58()}`)
    return status === 200 ? BigInt((body as { lamports: string }).lamports) : undefined
  }
  const caughtUp = async () => untilDurable(program, await client.head())

  test('is ready only when all that the node has is durable', async () => {
    const head = await client.head()
    let isReady = false
    while (!isReady) {
      isReady = (await program.get('/ready')).status === 200
      const { durable } = (await program.get('/status')).body as Status
      if (isReady) expect(durable).toEqual(head)
    }
    const { status, body } = await program.get('/health')
    expect({ status, ...healthOf({ status, body }) }).toEqual({ status: 200, healthy: true, problems: [] })
    events = resources.use(await collectEvents(program))
  })

  test('a deposit and a signed transfer change the accounts', async () => {
    await client.deposit(payer.publicKey, deposited)
    await caughtUp()
    expect(await lamports(payer)()).toBe(deposited)
    expect(await lamports(receiver)()).toBeUndefined()

    transfer = await client.transfer(payer, receiver.publicKey, sent)
    const status = await caughtUp()
    expect(await lamports(receiver)()).toBe(BigInt(sent))
    expect(await lamports(payer)()).toBe(deposited - BigInt(sent) - fee)
    expect(status.svm).toMatchObject({ executed: 1, failed: 0, rejected: 0, deposits: 1 })
  })

  test('the context finds the transaction, with its citation', async () => {
    const { number } = await client.head()
    // The vector store follows the durable state, a moment later.
    const { body } = await program.until(
      `/context?query=${transfer.hash}`,
      ({ body }) => (body as ContextAnswer).asOf?.number === String(number),
    )
    const { items } = body as ContextAnswer
    expect(items[0]).toMatchObject({ citation: `tx ${transfer.hash} block ${number}`, score: 1 })
  })

  test('a rollback that no one announces takes the transfer back', async () => {
    await client.rollback(1)
    await caughtUp()
    expect(await lamports(receiver)()).toBeUndefined()
    expect(await lamports(payer)()).toBe(deposited)
    const { body } = await program.get(`/decisions/${transfer.hash}`)
    expect(body).toMatchObject([{ canonical: false }])
  })

  test('the same transaction on the new branch: decisions list the canonical one first', async () => {
    // Another parent, so another block.
    await client.mine(2)
    await client.sendAgain(transfer.raw)
    const { head } = await caughtUp()
    expect(await lamports(receiver)()).toBe(BigInt(sent))
    const { body } = await program.get(`/decisions/${transfer.hash}`)
    const outcomes = [{ item: 0, status: 'executed' }]
    expect(body).toMatchObject([
      { canonical: true, block: head, route: 'executeOnSvm', outcomes },
      { canonical: false, route: 'executeOnSvm', outcomes },
    ])
  })

  test('a reorg below the deposit takes everything back', async () => {
    await client.reorg(4)
    const status = await caughtUp()
    expect(await lamports(receiver)()).toBeUndefined()
    expect(await lamports(payer)()).toBeUndefined()
    expect(status).toMatchObject({
      reorgs: 2,
      blocksReverted: 5,
      svm: { executed: 0, deposits: 0, accounts: 0 },
    })
    expect(status.finishedHeight!.number).toBeLessThanOrEqual(status.finalized!.number)
  })

  test('the events tell it in order: undone newest first, applied, durable, acknowledged', async () => {
    const head = await client.head()
    await events.until((line) => line.type === 'acknowledged' && line.hash === head.hash)
    const lines = events.lines()
    expect(new Set(lines.map((line) => line.type))).toEqual(
      new Set(['applied', 'undone', 'durable', 'acknowledged']),
    )
    // Followed line by line, they are a chain: each step continues the one before it.
    const chain: ChainLine[] = []
    const durable = new Set<string>()
    for (const line of lines) {
      const tip = chain.at(-1)
      switch (line.type) {
        case 'applied':
          if (tip) expect(line.number).toBe(tip.number + 1)
          chain.push(line)
          break
        case 'undone':
          expect(tip?.hash).toBe(line.hash)
          chain.pop()
          break
        case 'durable':
          // A newly finalized block alone is a commit too, of the tip as it was.
          if (tip) expect(tip.hash).toBe(line.hash)
          durable.add(line.hash)
          break
        case 'acknowledged':
          // What was durable before anyone listened may still be acknowledged.
          if (line.number > history) expect(durable).toContain(line.hash)
      }
    }
    expect(lines.filter((line) => line.type === 'undone')).toHaveLength(5)
    expect(chain.at(-1)).toMatchObject(head)
  })

  test('the metrics count it, under names of its own', async () => {
    const { status, body } = await program.get('/metrics')
    expect(status).toBe(200)
    const samples = String(body)
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
    expect(samples.filter((line) => !line.startsWith('monmouth_'))).toEqual([])
    expect(samples).toContain('monmouth_reorgs_total 2')
    expect(samples).toContain('monmouth_blocks_reverted_total 5')
    expect(samples).toContain('monmouth_svm_transactions_total{outcome="executed"} 2')
    expect(samples).toContain('monmouth_svm_transactions_total{outcome="deposited"} 1')
  })

  test('stopped by SIGTERM, the data directory still answers', async () => {
    // In the reorg it went; once more on the canonical chain.
    await client.deposit(payer.publicKey, deposited)
    const again = await client.transfer(payer, receiver.publicKey, sent)
    const status = await caughtUp()
    const ended = await program.stop('SIGTERM')
    expect(ended.code, ended.stderr).toBe(0)
    expect(documentOf<Status>(ended)).toMatchObject({
      head: status.head,
      svm: status.svm,
      decisionsHash: status.decisionsHash,
    })
    const asked = await runProgram(['context', again.hash, '--data-dir', folder.path, '--json'])
    expect(asked.code, asked.stderr).toBe(0)
    const { items } = documentOf<ContextAnswer>(asked)
    expect(items[0]?.citation).toBe(`tx ${again.hash} block ${status.head!.number}`)
  })
})
