import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Keypair } from '@solana/web3.js'
import { parseEther } from 'viem'
import { expect, test } from 'vitest'
import { compareWithFreshRun, developmentMnemonic, startReth, startSidecar } from '#harness'
import { finishedHeightOf } from '../../harness/assertions/callStreamServer.ts'
import { createStockClient } from '../support/program/stockClient.ts'
import { binary, metricOf, seen } from './startPair.ts'

const lamports = 3_000_000_000n
const sent = 1_000_000_000
const fee = 5_000n

test.skipIf(binary === '')(
  'node --dev: stock viem and web3.js, accounts by HTTP, the height told and taken',
  async () => {
    await using resources = new AsyncDisposableStack()
    const folder = await mkdtemp(join(tmpdir(), 'monmouth-reth-'))
    resources.defer(() => rm(folder, { recursive: true, force: true }))
    const node = resources.use(
      await startReth({
        ...{ binary, dataDir: join(folder, 'node'), blockTimeMs: 1000 },
        flags: ['--dev.finality-depth', '4'],
      }),
    )
    const sidecar = resources.use(
      await startSidecar({ url: `grpc://${node.exexAddress}`, dataDir: join(folder, 'sidecar') }),
    )
    const person = createStockClient({ ...node, mnemonic: developmentMnemonic }, { minesByItself: true })
    const [payer, receiver] = [Keypair.generate(), Keypair.generate()]
    const held = async (key: Keypair) => {
      const { status, body } = await sidecar.get(`/accounts/${key.publicKey.toBase58()}`)
      return status === 200 ? BigInt((body as { lamports: string }).lamports) : undefined
    }

    const value = parseEther('1')
    const plain = await person.wallet.sendTransaction({ to: `0x${'12'.repeat(20)}`, value })
    await person.anvil.waitForTransactionReceipt({ hash: plain })
    await person.deposit(payer.publicKey, lamports)
    await expect.poll(() => held(payer), { timeout: 10_000 }).toBe(lamports)
    await person.transfer(payer, receiver.publicKey, sent)
    await expect.poll(() => held(receiver), { timeout: 10_000 }).toBe(BigInt(sent))
    expect(await held(payer)).toBe(lamports - BigInt(sent) - fee)

    const height = async () => Number((await finishedHeightOf(node.exexAddress))?.number ?? 0)
    const first = await height()
    await expect.poll(height, { timeout: 30_000 }).toBeGreaterThan(first + 5)
    const metrics = {
      eventsTaken: await metricOf(node, 'reth_exex_events_sent_total{exex="monmouth"}'),
      notifications: await metricOf(node, 'reth_exex_notifications_sent_total{exex="monmouth"}'),
      walNotifications: await metricOf(node, 'reth_exex_wal_notifications_count'),
      walLowestBlock: await metricOf(node, 'reth_exex_wal_lowest_committed_block_height'),
      shimHeight: await metricOf(node, 'reth_exex_shim_finished_height'),
    }
    const status = await sidecar.status()
    seen('node --dev', {
      ...metrics,
      finishedHeight: status.finishedHeight,
      head: status.head,
      svm: status.svm,
    })
    await node.stop()
    expect(node.logs()).toContain('telling consumers that the node is going away')
    expect(await held(receiver)).toBe(BigInt(sent))

    await node.start()
    await expect
      .poll(async () => (await sidecar.status()).head!.number, { timeout: 30_000 })
      .toBeGreaterThan(status.head!.number + 2)
    await node.stop()
    // The same chain from a node that makes no more blocks: it must stand still to be compared with.
    await using still = await startReth({ binary, dataDir: join(folder, 'node') })
    await compareWithFreshRun(sidecar, still.rpcUrl)
  },
)
