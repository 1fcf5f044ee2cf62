import { expect, test } from 'vitest'
import { EvmStatus } from '../../../sidecar/notification/types.ts'
import { methodMissing, startFaultyProxy } from './faultyProxy.ts'
import { differences, type FollowedSource, followSource, until, untilAtHead } from './followSource.ts'
import { type StartedAnvil, startAnvil } from './startAnvil.ts'

const [sender, receiver] = [
  '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266',
  '0x70997970C51812dc3A010C7d01b50e0d17dc79C8',
]

async function mineTransfers(node: StartedAnvil, count: number): Promise<void> {
  for (let index = 0; index < count; index++)
    await node.request('eth_sendTransaction', [{ from: sender, to: receiver, value: '0x1', gas: '0x5208' }])
  await node.mine(1)
}

const lastBlock = (followed: FollowedSource) => followed.blockOf(followed.events.at(-1)!.blocks.at(-1)!)

test('without a finalized block the one finalityDepth below the head stands in', async () => {
  await using node = await startAnvil()
  await node.mine(30)
  let refusal: { result: null } | { error: { code: number; message: string } } = { result: null }
  await using proxy = await startFaultyProxy(node, async ({ params }) =>
    params[0] === 'finalized' || params[0] === 'safe' ? refusal : undefined,
  )
  await using followed = await followSource({ url: proxy.url, finalityDepth: 12, maxReorgDepth: 4 })
  const { source } = followed
  expect(source.heads().safe).toBeUndefined()
  expect(source.heads().finalized).toEqual(await source.canonicalRef(18n))

  refusal = { error: { code: -39001, message: 'unknown block' } }
  await node.mine(1)
  await untilAtHead(followed, node)
  expect(source.heads().finalized).toEqual(await source.canonicalRef(19n))
  await node.request('anvil_rollback', [3])
  await untilAtHead(followed, node)
  expect(source.heads().finalized).toEqual(await source.canonicalRef(16n))
})

test('on a short chain genesis stands in for the finalized block', async () => {
  await using node = await startAnvil()
  await node.mine(3)
  await using proxy = await startFaultyProxy(node, async ({ params }) =>
    params[0] === 'finalized' ? { result: null } : undefined,
  )
  await using followed = await followSource({ url: proxy.url })
  expect(followed.source.heads().finalized).toEqual({ number: 0n, hash: followed.source.genesisHash })
})

test('receipts are asked for one by one where the node cannot give those of a block', async () => {
  await using node = await startAnvil()
  await using proxy = await startFaultyProxy(node, async ({ method }) =>
    method === 'eth_getBlockReceipts' ? methodMissing : undefined,
  )
  await using followed = await followSource({ url: proxy.url })
  await mineTransfers(node, 40)
  await untilAtHead(followed, node)
  expect(followed.source.hasLogs).toBe(true)
  const { count, statuses, gasUsed } = lastBlock(followed).transactions
  expect(count).toBe(40)
  expect(new Set(statuses)).toEqual(new Set([EvmStatus.succeeded]))
  expect(new Set(gasUsed)).toEqual(new Set([21_000]))
})

test('without receipts of any kind statuses are unknown and there are no logs', async () => {
  await using node = await startAnvil()
  await using proxy = await startFaultyProxy(node, async ({ method }) =>
    /Receipt/.test(method) ? methodMissing : undefined,
  )
  await using followed = await followSource({ url: proxy.url })
  await mineTransfers(node, 3)
  await untilAtHead(followed, node)
  expect(followed.source.hasLogs).toBe(false)
  expect([...lastBlock(followed).transactions.statuses]).toEqual([2, 2, 2])
})

test.each(['block', 'receipts'])(
  'a node that pruned every %s below some height says where history begins',
  async (what) => {
    await using node = await startAnvil()
    await node.mine(100)
    let pruned = 37
    const answers = { block: 'eth_getBlockByNumber', receipts: 'eth_getBlockReceipts' }
    await using proxy = await startFaultyProxy(node, async ({ method, params }) => {
      const isOld = method === answers[what as 'block'] && params[1] !== false && Number(params[0]) < pruned
      if (!isOld) return undefined
      // Half of the nodes answer null, the others EIP-4444's error.
      return pruned === 37
        ? { result: null }
        : { error: { code: 4444, message: 'pruned history unavailable' } }
    })
    await using followed = await followSource({ url: proxy.url, maxReorgDepth: 8 })
    const { source } = followed
    expect(source.heads().oldestBlock).toBe(37n)
    await expect(Array.fromAsync(source.readBlocks(36n, 40n))).rejects.toMatchObject({ oldestBlock: 37n })
    expect(await Array.fromAsync(source.readBlocks(37n, 100n))).toHaveLength(64)

    pruned = 60
    await expect(Array.fromAsync(source.readBlocks(37n, 70n))).rejects.toMatchObject({
      name: 'HistoryPrunedError',
      oldestBlock: 60n,
    })
    expect(source.heads().oldestBlock).toBe(60n)
  },
)

test('a reorg between a block and its receipts never mixes the two', async () => {
  await using node = await startAnvil()
  await node.mine(10)
  let reorgs = 0
  let reorged = Promise.withResolvers<void>()
  await using proxy = await startFaultyProxy(node, async ({ method, params }, forward) => {
    if (reorgs === 0) return undefined
    if (method === 'eth_getBlockReceipts') {
      await reorged.promise
      reorged = Promise.withResolvers()
      reorgs--
      return { result: await forward() }
    }
    if (params[1] !== true) return undefined
    // The block is answered as it was; its receipts, asked for at the same time, wait for the other branch.
    const result = await forward()
    // The same transaction there: only the block hash tells the receipts apart.
    const mined = (result as { transactions: { hash: string }[] }).transactions[0]!.hash
    const raw = await node.request('eth_getRawTransactionByHash', [mined])
    await node.request('anvil_reorg', [1, [[raw, 0]]])
    reorged.resolve()
    return { result }
  })
  await using followed = await followSource({ url: proxy.url })
  reorgs = 5
  await mineTransfers(node, 1)
  await until(() => reorgs === 0)
  await untilAtHead(followed, node)
  expect(await differences(followed, node)).toEqual([])
  const mined = await node.request('eth_getBlockByNumber', ['latest', false])
  const { hashes } = lastBlock(followed).transactions
  expect(`0x${Buffer.from(hashes).toString('hex')}`).toBe(mined.transactions[0])
  // Five mixed reads, and none of them was told.
  expect(followed.events).toHaveLength(1)
})

test('a node replaced by one of another chain, without a broken connection, is a problem and never an event', async () => {
  await using node = await startAnvil()
  await using other = await startAnvil({ timestamp: 1_600_000_000 })
  await node.mine(3)
  await other.mine(4)
  let replaced = false
  await using proxy = await startFaultyProxy(node, async ({ method, params }) =>
    replaced ? { result: await other.request(method, params) } : undefined,
  )
  await using followed = await followSource({ url: proxy.url, maxReorgDepth: 2 })
  replaced = true
  await until(() => followed.source.problem() !== undefined)
  expect(followed.source.problem()).toMatch(/^genesis hash of node/)
  replaced = false
  await node.mine(1)
  await untilAtHead(followed, node)
  expect(await differences(followed, node)).toEqual([])
  expect(followed.events.flatMap((event) => event.undo)).toEqual([])
})

test('a head whose block or receipts are not there yet is read again', async () => {
  await using node = await startAnvil()
  let absent = 0
  await using proxy = await startFaultyProxy(node, async ({ method, params }) => {
    const isBody = method === 'eth_getBlockReceipts' || params[1] === true
    return isBody && absent-- > 0 ? { result: null } : undefined
  })
  await using followed = await followSource({ url: proxy.url })
  absent = 4
  await mineTransfers(node, 1)
  await untilAtHead(followed, node)
  expect(await differences(followed, node)).toEqual([])
})

test('a malformed answer is a problem that names the field, until it is gone', async () => {
  await using node = await startAnvil()
  let broken = true
  await using proxy = await startFaultyProxy(node, async ({ params }, forward) =>
    params[1] === true && params[0] === '0x1' && broken
      ? { result: { ...((await forward()) as object), timestamp: 'yesterday' } }
      : undefined,
  )
  await using followed = await followSource({ url: proxy.url, maxReorgDepth: 1 })
  await node.mine(2)
  await until(() => followed.source.problem() !== undefined)
  expect(followed.source.problem()).toMatch(/^timestamp of block 1 0x[0-9a-f]{64}: .* got 'yesterday'/)
  expect(followed.events).toEqual([])
  broken = false
  await untilAtHead(followed, node)
  expect(await differences(followed, node)).toEqual([])
})

test.each([
  ['refuses to name its chain', 'eth_chainId', methodMissing, 'NodeRefusedError'],
  ['names its chain in decimal', 'eth_chainId', { result: 31_337 }, 'MalformedAnswerError'],
  ['has no genesis', 'eth_getBlockByNumber', { result: null }, 'MalformedAnswerError'],
])('a node that %s is refused at start', async (_what, method, answer, name) => {
  await using node = await startAnvil()
  await using proxy = await startFaultyProxy(node, async (call) =>
    call.method === method ? answer : undefined,
  )
  await expect(followSource({ url: proxy.url })).rejects.toMatchObject({ name })
})

test('a node that does not answer in time is a problem', async () => {
  await using node = await startAnvil()
  let silent = false
  const answered = Promise.withResolvers<undefined>()
  await using proxy = await startFaultyProxy(node, () =>
    silent ? answered.promise : Promise.resolve(undefined),
  )
  await using followed = await followSource({ url: proxy.url, requestTimeoutMs: 500 })
  silent = true
  await until(() => followed.source.problem() !== undefined)
  expect(followed.source.problem()).toContain('no answer within 500 ms')
  silent = false
  answered.resolve(undefined)
  await until(() => followed.source.problem() === undefined)
})

test('a node that is behind its network says so, and a key in the URL never shows', async () => {
  await using node = await startAnvil()
  const proxy = await startFaultyProxy(node, async ({ method }) =>
    method === 'eth_syncing' ? { result: { currentBlock: '0x0', highestBlock: '0x5' } } : undefined,
  )
  await using followed = await followSource({ url: `${proxy.url}/v2/secret-key` })
  expect(followed.source.heads().syncing).toBe(true)
  await proxy[Symbol.asyncDispose]()
  await until(() => followed.source.problem() !== undefined)
  expect(followed.source.problem()).not.toContain('secret-key')
})
