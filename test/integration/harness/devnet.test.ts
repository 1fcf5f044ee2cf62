import { Keypair, SystemProgram, Transaction } from '@solana/web3.js'
import type { Hash, Hex } from 'viem'
import { describe, expect, test } from 'vitest'
import { startAnvil } from '../../../harness/anvil.ts'
import { createRpc, type Rpc } from '../../../harness/devnet/createRpc.ts'
import { ethereumTrafficKinds } from '../../../harness/devnet/createTransactionSource.ts'
import type { MinedBlock, TrafficOptions } from '../../../harness/devnet/runTraffic.ts'
import { startDevnet } from '../../../harness/devnet/startDevnet.ts'
import { HarnessError } from '../../../harness/errors.ts'
import { createSvmClient } from '../../../harness/svm/createSvmClient.ts'
import { svmTrafficKinds } from '../../../harness/svm/createSvmTraffic.ts'

const small: TrafficOptions = {
  blocks: 14,
  blockTimeMs: 0,
  txPerBlock: 12,
  reorgEvery: 5,
  reorgDepth: 3,
  seed: 42,
}

type NodeBlock = { number: Hex; hash: Hash; parentHash: Hash; timestamp: Hex; transactions: { hash: Hash }[] }
const blockAt = (rpc: Rpc, tag: Hex | string) => rpc.call<NodeBlock>('eth_getBlockByNumber', [tag, true])

const runOnce = async (options: TrafficOptions) => {
  const mined: MinedBlock[] = []
  await using devnet = await startDevnet({ ...options, onBlock: (block) => mined.push(block) })
  const result = await devnet.traffic()
  const rpc = createRpc(devnet.rpcUrl)
  const chain = await Promise.all(
    Array.from({ length: result.blocks + 1 }, (_, number) => blockAt(rpc, `0x${number.toString(16)}`)),
  )
  const finalized = await blockAt(rpc, 'finalized')
  const statuses: string[] = []
  for (const { number } of chain.slice(1)) {
    const receipts = await rpc.call<{ status: string }[]>('eth_getBlockReceipts', [number])
    statuses.push(...receipts.map(({ status }) => status))
  }
  return { mined, result, chain, finalized, statuses, finalityDepth: devnet.finalityDepth }
}

describe('startDevnet', () => {
  test('the same options give the same head hash, another seed another', async () => {
    const first = await runOnce(small)
    const second = await runOnce(small)
    expect(second.result).toEqual(first.result)
    expect(second.mined).toEqual(first.mined)
    expect((await runOnce({ ...small, seed: 43 })).result.head).not.toEqual(first.result.head)
  })

  test('reorgs replace blocks by others, above the finalized one, time rising', async () => {
    const { mined, result, chain, finalized, finalityDepth } = await runOnce(small)
    expect(result.reorgs).toBeGreaterThanOrEqual(2)
    expect(result.blocksReverted).toBe(result.reorgs * 3)
    expect(mined.length).toBe(result.blocks + result.blocksReverted)
    expect(Number(finalized.number)).toBe(result.blocks - finalityDepth)
    expect(finalityDepth).toBeGreaterThan(3)
    chain.slice(1).forEach((block, index) => {
      expect(block.parentHash, `parent of ${index + 1}`).toBe(chain[index]!.hash)
    })
    mined.slice(1).forEach(({ timestamp }, index) => {
      expect(timestamp, `time of mined block ${index + 1}`).toBeGreaterThan(mined[index]!.timestamp)
    })
    const canonical = new Set(chain.map(({ hash }) => hash))
    expect(mined.filter(({ hash }) => !canonical.has(hash))).toHaveLength(result.blocksReverted)
    expect(chain.at(-1)!.hash).toBe(result.head.hash)
  })

  test('every kind of traffic appears, some calls revert', async () => {
    const { mined, statuses } = await runOnce({
      blocks: 24,
      blockTimeMs: 0,
      txPerBlock: 90,
      svmShare: 0.7,
      seed: 1,
    })
    const kinds = new Set<string>(mined.flatMap((block) => block.kinds))
    for (const kind of ethereumTrafficKinds) expect(kinds).toContain(kind)
    for (const kind of svmTrafficKinds) expect(kinds).toContain(`svm:${kind}`)
    expect(statuses).toContain('0x0')
    expect(statuses.filter((status) => status === '0x1').length).toBeGreaterThan(statuses.length / 2)
  })

  test('ends when aborted, at a whole block', async () => {
    const ending = new AbortController()
    let seen = 0
    await using devnet = await startDevnet({
      blockTimeMs: 5,
      txPerBlock: 3,
      signal: ending.signal,
      onBlock: () => {
        seen += 1
        if (seen === 3) ending.abort()
      },
    })
    const result = await devnet.traffic()
    expect(result.blocks).toBe(3)
    expect((await blockAt(createRpc(devnet.rpcUrl), 'latest')).hash).toBe(result.head.hash)
  })

  test('a reorg waits for whoever follows, and the chain is the same', async () => {
    const unhindered = await runOnce(small)
    const heads: { number: bigint; hash: Hash }[] = []
    const mined: MinedBlock[] = []
    await using devnet = await startDevnet({ ...small, onBlock: (block) => mined.push(block) })
    const result = await devnet.traffic({
      beforeReorg: async (head) => {
        heads.push(head)
        const before = mined.length
        // The node is asked in the meantime, as a follower would.
        expect((await blockAt(createRpc(devnet.rpcUrl), 'latest')).hash).toBe(head.hash)
        expect(mined).toHaveLength(before)
      },
    })
    expect(heads.map(({ number }) => number)).toEqual([5n, 10n])
    expect(result).toEqual(unhindered.result)
    expect(mined).toEqual(unhindered.mined)
  })

  test('one that waits for a follower ends all the same when aborted', async () => {
    const ending = new AbortController()
    await using devnet = await startDevnet({ ...small, signal: ending.signal })
    const result = await devnet.traffic({
      beforeReorg: () => {
        ending.abort()
        return new Promise(() => {})
      },
    })
    expect(result).toMatchObject({ blocks: 5, reorgs: 0 })
  })

  test('the end of the node fails the traffic', async () => {
    await using devnet = await startDevnet({ blockTimeMs: 0, txPerBlock: 3 })
    const failed = expect(devnet.traffic()).rejects.toMatchObject({ code: 'RPC_FAILED' })
    await devnet.node.kill()
    await failed
  })

  test('refuses options that cannot be before anything starts', async () => {
    const started = startDevnet({ blocks: 0, svmShare: 3, reorgEvery: 2, reorgDepth: 2 })
    await expect(started).rejects.toThrow(HarnessError)
    await expect(started).rejects.toThrow(/blocks: .*; svmShare: .*; reorgDepth: /)
  })
})

test('a stock web3.js transaction reaches the router through the client', async () => {
  await using node = await startAnvil()
  const rpc = createRpc(node.rpcUrl)
  const client = createSvmClient(node)
  const from = Keypair.generate()
  await client.deposit(from.publicKey, 1_000_000n)
  await rpc.call('evm_mine')
  const transaction = new Transaction({
    recentBlockhash: await client.latestBlockhash(),
    feePayer: from.publicKey,
  }).add(
    SystemProgram.transfer({
      fromPubkey: from.publicKey,
      toPubkey: Keypair.generate().publicKey,
      lamports: 1000,
    }),
  )
  transaction.sign(from)
  const hash = await client.send(transaction)
  await rpc.call('evm_mine')
  const mined = await rpc.call<{ input: Hex; to: Hex }>('eth_getTransactionByHash', [hash])
  expect(mined.to).toBe('0x000000000000000000000000000000000053564d')
  const payload = Buffer.from(mined.input.slice(2 + 6), 'hex')
  expect(Transaction.from(payload).verifySignatures()).toBe(true)
  const receipt = await rpc.call<{ status: string }>('eth_getTransactionReceipt', [hash])
  expect(receipt.status).toBe('0x1')
})
