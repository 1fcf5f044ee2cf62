import { isDeepStrictEqual } from 'node:util'
import pino from 'pino'
import { hexToBigInt, toHex } from 'viem'
import { describe, expect, test } from 'vitest'
import { quietPort } from '#harness'
import { createJsonRpcSource } from '../../../sidecar/exex/jsonrpc/createJsonRpcSource.ts'
import { EvmStatus } from '../../../sidecar/notification/types.ts'
import { defaults, differences, followSource, keepBlocks, until, untilAtHead } from './followSource.ts'
import { type StartedAnvil, startAnvil } from './startAnvil.ts'

const transports = ['http', 'ws'] as const
const urlAt = {
  http: (port: number) => `http://127.0.0.1:${port}`,
  ws: (port: number) => `ws://127.0.0.1:${port}`,
}
const sender = '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266'
const receiver = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8'

async function send(node: StartedAnvil, fields: object = {}): Promise<string> {
  return node.request('eth_sendTransaction', [
    { from: sender, to: receiver, value: '0x1', gas: '0x186a0', ...fields },
  ])
}

describe.each(transports)('over %s', (transport) => {
  test('follows new blocks, with their transactions, statuses and logs', async () => {
    await using node = await startAnvil()
    await using followed = await followSource({ url: node[transport] })
    // PUSH1 0 PUSH1 0 LOG0 emits a log without topics and data; REVERT fails.
    await node.request('anvil_setCode', [address('aa'), '0x60006000a0'])
    await node.request('anvil_setCode', [address('bb'), '0x60006000fd'])
    const hashes = [await send(node), await send(node, { to: address('aa'), data: '0x01020304' })]
    hashes.push(
      await send(node, { to: address('bb'), value: '0x0' }),
      await send(node, { to: null, data: '0x00' }),
    )
    await node.mine(1)
    await untilAtHead(followed, node)

    expect(await differences(followed, node)).toEqual([])
    const { transactions } = followed.blockOf(followed.events[0]!.blocks[0]!)
    const byHash = new Map(
      hashes.map((_, index) => [toHex(transactions.hashes.subarray(32 * index, 32 * index + 32)), index]),
    )
    const rows = hashes.map((hash) => byHash.get(hash as `0x${string}`)!)
    const { failed, succeeded } = EvmStatus
    expect(rows.map((row) => transactions.statuses[row])).toEqual([succeeded, succeeded, failed, succeeded])
    expect(rows.map((row) => transactions.kinds[row])).toEqual([2, 2, 2, 0x82])
    expect(toHex(transactions.logs)).toBe(`${address('aa')}0000000000`)
    expect(transactions.gasUsed[rows[0]!]).toBe(21_000)
  })

  test('knows chain, genesis, heads and finality', async () => {
    await using node = await startAnvil({ chainId: 77, extra: ['--slots-in-an-epoch', '2'] })
    await node.mine(20)
    await using followed = await followSource({ url: node[transport] })
    const { source } = followed
    const at = async (tag: string) => {
      const { number, hash } = await node.request('eth_getBlockByNumber', [tag, false])
      return { number: hexToBigInt(number), hash }
    }
    expect(source).toMatchObject({ chainId: 77n, genesisHash: (await at('0x0')).hash, hasLogs: true })
    const expected = async () => ({
      head: await at('latest'),
      safe: await at('safe'),
      finalized: await at('finalized'),
      oldestBlock: 0n,
      syncing: false,
    })
    expect(source.heads()).toEqual(await expected())
    await node.mine(5)
    await untilAtHead(followed, node)
    const last = await expected()
    expect(last.finalized.number).toBe(21n)
    // A look at the node in the midst of its mining finds some of these a block behind the others; the next one does not.
    await until(() => isDeepStrictEqual(source.heads(), last))
    const { head, finalized } = followed.events.at(-1)!
    expect(head).toEqual(last.head)
    expect(finalized).toEqual(await source.canonicalRef(finalized!.number))
    expect(finalized!.number).toBeLessThanOrEqual(21n)
  })

  test('tells reorgs of depth 1 to 20 as undo and new blocks', async () => {
    await using node = await startAnvil()
    await node.mine(25)
    await using followed = await followSource({ url: node[transport], maxReorgDepth: 20 })
    for (let depth = 1; depth <= 20; depth++) {
      await node.request('anvil_reorg', [depth, []])
      await untilAtHead(followed, node)
      expect(await differences(followed, node), `depth ${depth}`).toEqual([])
    }
    const undone = followed.events.reduce((sum, event) => sum + event.undo.length, 0)
    expect(undone).toBeGreaterThanOrEqual(210)
    expect(followed.source.problem()).toBeUndefined()
  })

  test('tells a rollback, which announces no head, as undo alone', async () => {
    await using node = await startAnvil()
    await node.mine(10)
    await using followed = await followSource({ url: node[transport] })
    await node.request('anvil_rollback', [4])
    await untilAtHead(followed, node)
    expect(followed.events).toHaveLength(1)
    expect(followed.events[0]).toMatchObject({ blocks: [], parent: { number: 6n }, head: { number: 6n } })
    expect(followed.events[0]!.undo.map((ref) => ref.number)).toEqual([7n, 8n, 9n, 10n])
    await node.mine(3)
    await untilAtHead(followed, node)
    expect(await differences(followed, node)).toEqual([])
  })

  test('a rollback as deep as allowed may be followed by a reorg as deep', async () => {
    await using node = await startAnvil()
    await node.mine(30)
    await using followed = await followSource({ url: node[transport], maxReorgDepth: 8 })
    await node.request('anvil_rollback', [8])
    await untilAtHead(followed, node)
    const told = followed.events.length
    await node.request('anvil_reorg', [8, []])
    await untilAtHead(followed, node)
    expect(await differences(followed, node)).toEqual([])
    // The node can be seen in the midst of it, with some of its new blocks; they come in a second event then.
    expect(followed.events[told]!.undo).toHaveLength(8)
    expect(followed.events.slice(told).flatMap(({ undo }) => undo)).toHaveLength(8)
  })

  test('fetches 300 missed blocks in bounded events', async () => {
    await using node = await startAnvil()
    await using followed = await followSource({ url: node[transport], pollIntervalMs: 400, batchBlocks: 16 })
    await node.mine(300)
    await untilAtHead(followed, node)
    expect(await differences(followed, node)).toEqual([])
    expect(followed.chain.size).toBe(301)
    expect(Math.max(...followed.events.map((event) => event.blocks.length))).toBeLessThanOrEqual(16)
  })

  test('blocks and reorgs in quick succession, never waited for, fold to the chain of the node', async () => {
    await using node = await startAnvil()
    await node.mine(10)
    await using followed = await followSource({ url: node[transport], pollIntervalMs: 5, batchBlocks: 3 })
    for (let round = 0; round < 40; round++) {
      await send(node)
      await node.mine(1 + (round % 4))
      if (round % 3 === 0) await node.request('anvil_reorg', [1 + (round % 7), []])
      if (round % 11 === 5) await node.request('anvil_rollback', [2])
    }
    await untilAtHead(followed, node)
    expect(await differences(followed, node)).toEqual([])
  })

  test('a node killed and started again on another fork of the same genesis is followed from the ancestor', async () => {
    await using first = await startAnvil({ port: await quietPort() })
    await first.mine(12)
    await using followed = await followSource({ url: first[transport] })
    await first.mine(2)
    await untilAtHead(followed, first)
    const before = followed.source.heads().head
    await first.kill()
    await until(() => followed.source.problem() !== undefined)
    expect(followed.source.problem()).toContain(`node 127.0.0.1:${first.port}: expected an answer`)

    await using second = await startAnvil({ port: first.port })
    await send(second)
    await second.mine(3)
    await untilAtHead(followed, second)
    await until(() => followed.source.problem() === undefined)
    expect(followed.source.heads().head).not.toEqual(before)
    expect(await differences(followed, second)).toEqual([])
    await second.mine(20)
    await untilAtHead(followed, second)
    expect(await differences(followed, second)).toEqual([])
  })

  test.each([
    ['genesis hash', { timestamp: 1_600_000_000 }],
    ['chain id', { chainId: 5 }],
  ])('a node that comes back with another %s is a problem and never an event', async (what, changed) => {
    await using first = await startAnvil({ port: await quietPort() })
    await first.mine(3)
    await using followed = await followSource({ url: first[transport] })
    await first.kill()
    await using second = await startAnvil({ port: first.port, ...changed })
    await second.mine(5)
    await until(() => followed.source.problem()?.startsWith(`${what} of node`) === true)
    await second.kill()
    await using third = await startAnvil({ port: first.port })
    await third.mine(4)
    await untilAtHead(followed, third)
    await until(() => followed.source.problem() === undefined)
    expect(await differences(followed, third)).toEqual([])
    const fromSecond = followed.events
      .flatMap((event) => event.blocks)
      .filter((block) => block.ref.number > 4n)
    expect(fromSecond).toEqual([])
  })

  test('a reorg deeper than the limit is a problem, and nothing is told', async () => {
    await using node = await startAnvil()
    await node.mine(20)
    await using followed = await followSource({ url: node[transport], maxReorgDepth: 5 })
    const before = followed.source.heads()
    await node.request('anvil_reorg', [6, []])
    await until(() => followed.source.problem() !== undefined)
    expect(followed.source.problem()).toContain('a reorg of at most 5 blocks below our tip 20')
    await node.mine(2)
    // It went on looking, and still tells nothing.
    await until(() => followed.source.problem()!.includes('with head 22'))
    expect(followed.events).toEqual([])
    expect(followed.source.heads()).toEqual(before)
  })

  test('waits at start for a node that is not up yet', async () => {
    const port = await quietPort()
    const starting = followSource({ url: urlAt[transport](port) })
    await using node = await startAnvil({ port })
    await using followed = await starting
    await node.mine(2)
    await untilAtHead(followed, node)
    expect(await differences(followed, node)).toEqual([])
  })

  test('a node that stays down is given up after the configured time, or with the signal', async () => {
    const url = urlAt[transport](await quietPort())
    await expect(followSource({ url, startTimeoutMs: 300 })).rejects.toMatchObject({
      name: 'NodeUnreachableError',
      code: 'UNAVAILABLE',
    })
    const lifetime = new AbortController()
    const starting = createJsonRpcSource(
      { ...defaults, url },
      { logger: pino({ level: 'silent' }), encodeBlock: keepBlocks().encodeBlock, signal: lifetime.signal },
    )
    lifetime.abort()
    await expect(starting).rejects.toMatchObject({ name: 'SourceClosedError' })
  })

  test('reads the past in order, by range, and says what is canonical', async () => {
    await using node = await startAnvil()
    await send(node)
    await node.mine(150)
    await using followed = await followSource({ url: node[transport], maxReorgDepth: 10 })
    const { source } = followed
    const blocks = await Array.fromAsync(source.readBlocks(0n, 150n))
    expect(blocks.map((block) => block.ref.number)).toEqual(
      Array.from({ length: 151 }, (_, number) => BigInt(number)),
    )
    expect(blocks.slice(1).map((block) => block.parent.hash)).toEqual(
      blocks.slice(0, -1).map((block) => block.ref.hash),
    )
    expect(followed.blockOf(blocks[1]!).transactions.count).toBe(1)
    for (const number of [0n, 7n, 139n, 140n, 150n])
      expect(await source.canonicalRef(number), String(number)).toEqual(blocks[Number(number)]!.ref)
    expect(await source.canonicalRef(151n)).toBeUndefined()
    await expect(Array.fromAsync(source.readBlocks(149n, 151n))).rejects.toMatchObject({
      code: 'CHAIN_MOVED',
    })
  })

  test('history ends where it is configured to', async () => {
    await using node = await startAnvil()
    await node.mine(50)
    await using followed = await followSource({ url: node[transport], historyBlocks: 20 })
    const { source } = followed
    expect(source.heads().oldestBlock).toBe(30n)
    expect(await source.canonicalRef(29n)).toBeUndefined()
    await expect(Array.fromAsync(source.readBlocks(29n, 40n))).rejects.toMatchObject({
      name: 'HistoryPrunedError',
      oldestBlock: 30n,
    })
    expect(await Array.fromAsync(source.readBlocks(30n, 40n))).toHaveLength(11)
  })

  test('closing ends everything at once: no event, no call, no retry after it', async () => {
    await using node = await startAnvil()
    await node.mine(200)
    const followed = await followSource({ url: node[transport] })
    const reading = Array.fromAsync(followed.source.readBlocks(1n, 200n))
    const refused = expect(reading).rejects.toMatchObject({ name: 'SourceClosedError' })
    await followed.source.close()
    await refused
    await node.mine(1)
    await expect(followed.source.canonicalRef(1n)).rejects.toThrow()
    expect(followed.events).toEqual([])
  })
})

test('two sources on one WebSocket URL do not share their end', async () => {
  await using node = await startAnvil()
  const one = await followSource({ url: node.ws })
  await using other = await followSource({ url: node.ws, pollIntervalMs: 600_000 })
  await one.source.close()
  await node.mine(1)
  await untilAtHead(other, node)
  // Asked once, at its start: it never had to connect again.
  expect(other.calls.filter((method) => method === 'eth_chainId')).toHaveLength(1)
})

function address(byte: string): `0x${string}` {
  return `0x${byte.repeat(20)}`
}
