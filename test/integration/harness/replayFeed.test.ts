import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { pino } from 'pino'
import type { Hash } from 'viem'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createReplayChain } from '../../../harness/replay/createReplayChain.ts'
import { openRecording } from '../../../harness/replay/openRecording.ts'
import { type ReplayFeed, startReplayFeed } from '../../../harness/replay/startReplayFeed.ts'
import { connectExEx } from '../../../sidecar/exex/client/connectExEx.ts'
import { blockFromJson } from '../../../sidecar/exex/jsonrpc/toBlock.ts'
import type { Block, BlockRef } from '../../../sidecar/notification/types.ts'

const hex = (value: number, bytes: number): Hash => `0x${value.toString(16).padStart(2 * bytes, '0')}`

/** Twelve blocks in the shape of `eth_getBlockByNumber(n, true)`; the odd ones have receipts. */
const recorded = Array.from({ length: 12 }, (_, index) => {
  const number = 1000 + 10 * index
  const hash = hex(0xabc000 + index, 32)
  const transactions = Array.from({ length: 5 }, (_, row) => ({
    hash: hex(0xdef0000 + index * 16 + row, 32),
    type: '0x2',
    from: hex(row + 1, 20),
    to: row === 4 ? null : hex(row + 100, 20),
    nonce: hex(index, 1),
    gas: '0x5208',
    gasPrice: '0x7',
    maxFeePerGas: '0x9',
    value: '0x1',
    input: '0xa9059cbb0000',
  }))
  return {
    block: {
      number: `0x${number.toString(16)}`,
      hash,
      parentHash: hex(0x111000 + index, 32),
      timestamp: `0x${(1_700_000_000 + 50 * index).toString(16)}`,
      gasLimit: '0x1c9c380',
      gasUsed: '0x19a28',
      baseFeePerGas: '0x7',
      transactions,
    },
    receipts: transactions.map((transaction) => ({
      transactionHash: transaction.hash,
      blockHash: hash,
      status: '0x1',
      gasUsed: '0x5208',
      logs: [],
    })),
  }
})

let folder: string
let files: string[]
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'monmouth-replay-'))
  files = [join(folder, 'blocks.jsonl.gz')]
  writeFileSync(files[0]!, gzipSync(recorded.map(({ block }) => JSON.stringify(block)).join('\n')))
  const receipts = recorded.filter((_, index) => index % 2 === 1)
  const lines = receipts.map(({ block, receipts: of }) => JSON.stringify({ hash: block.hash, receipts: of }))
  writeFileSync(join(folder, 'receipts.jsonl'), lines.join('\n'))
})
afterAll(() => rmSync(folder, { recursive: true }))

/** Follows the feed to its end as a consumer does, from `known` on. */
const follow = async (feed: ReplayFeed, known: BlockRef[]) => {
  const chain: { ref: BlockRef; block: Block | undefined }[] = known.map((ref) => ({ ref, block: undefined }))
  const undone: BlockRef[] = []
  const ancestors: (BlockRef | undefined)[] = []
  const ending = new AbortController()
  const client = connectExEx(
    {
      url: `grpc://${feed.address}`,
      consumerId: 'follower',
      locator: () => ({
        blocks: chain
          .slice(-64)
          .map(({ ref }) => ref)
          .reverse(),
        finalized: undefined,
        durable: undefined,
      }),
    },
    { logger: pino({ level: 'silent' }), signal: ending.signal },
  )
  const end = await new Promise<{ number: bigint; hash: Hash }>((resolve, reject) => {
    let finished: BlockRef | undefined
    const check = () => {
      if (finished !== undefined && chain.at(-1)?.ref.hash === finished.hash) resolve(finished)
    }
    feed.finished.then((head) => {
      finished = head
      check()
    }, reject)
    client.events$.subscribe({
      next: (event) => {
        if (event.type === 'welcome') ancestors.push(event.ancestor)
        if (event.type !== 'notification') return
        const { notification } = event
        if (notification.kind !== 'committed') {
          for (const ref of [...notification.undo].reverse()) {
            expect(chain.pop()!.ref).toEqual(ref)
            undone.push(ref)
          }
        }
        if (notification.kind !== 'reverted') {
          for (const block of notification.blocks) {
            if (chain.length > 0) expect(block.parent).toEqual(chain.at(-1)!.ref)
            chain.push({ ref: block.ref, block })
          }
        }
        client.grant(notification)
        client.acknowledge(chain.at(-1)!.ref, undefined)
        check()
      },
      error: reject,
    })
  })
  ending.abort()
  return { chain, undone, end, ancestors }
}

describe('startReplayFeed', () => {
  test('a consumer sees the canonical chain, forks coming and going', async () => {
    const options = { repeat: 40, svmShare: 0.2, reorgEvery: 7, reorgDepth: 3 }
    await using feed = await startReplayFeed({ files, ...options })
    const { chain, undone, end } = await follow(feed, [])
    const own = await createReplayChain(openRecording(files, blockFromJson), { repeat: 40, svmShare: 0.2 })
    const expected: BlockRef[] = []
    for await (const block of own.blocks(1n)) expected.push(block.ref)
    expect(feed.genesisHash).toBe(own.genesis.hash)
    expect(chain.map(({ ref }) => ref)).toEqual(expected)
    expect(end).toEqual(expected.at(-1))
    expect(undone.length).toBeGreaterThan(3)
    expect(undone.length % 3).toBe(0)
    expect(chain[0]!.block!.origin).toBe('mainnet:1000')
    // Without a receipt nothing is known of the outcome; with one it is.
    expect(chain[0]!.block!.transactions.statuses[0]).toBe(2)
    expect(chain[1]!.block!.transactions.statuses[0]).toBe(1)
  })

  test('a consumer that has some of it goes on from there at a new feed', async () => {
    const options = { repeat: 60, svmShare: 0.1 }
    const own = await createReplayChain(openRecording(files, blockFromJson), options)
    const known: BlockRef[] = []
    for await (const block of own.blocks(1n)) if (known.push(block.ref) === 600) break
    await using feed = await startReplayFeed({ files, ...options, startAt: 600 })
    const { chain, undone, ancestors } = await follow(feed, known)
    expect(ancestors).toEqual([known.at(-1)])
    expect(undone).toEqual([])
    expect(chain).toHaveLength(720)
  })

  test('a consumer that comes late reads what the window no longer holds', async () => {
    await using feed = await startReplayFeed({
      files,
      repeat: 150,
      svmShare: 0.02,
      reorgEvery: 100,
      reorgDepth: 4,
    })
    const first = await follow(feed, [])
    const late = await follow(feed, [])
    expect(late.chain.map(({ ref }) => ref)).toEqual(first.chain.map(({ ref }) => ref))
    expect(late.chain).toHaveLength(1800)
  })

  test('failures are typed and leave no process', async () => {
    await expect(startReplayFeed({ files: ['/nowhere.jsonl'] })).rejects.toMatchObject({
      code: 'REPLAY_FILE',
    })
    await expect(startReplayFeed({ files, repeat: 0 })).rejects.toMatchObject({ code: 'REPLAY_OPTIONS' })
    const broken = join(folder, 'broken.jsonl')
    writeFileSync(broken, '{"number":"0x1"}\n')
    await using feed = await startReplayFeed({ files: [broken] })
    await expect(follow(feed, [])).rejects.toMatchObject({ code: 'REPLAY_FILE' })
  })

  test('a killed feed rejects what waits for its end', async () => {
    const feed = await startReplayFeed({ files })
    const failed = expect(feed.finished).rejects.toMatchObject({ code: 'REPLAY_FEED_DIED' })
    await feed.kill()
    await failed
  })
})
