import { type Client, credentials, Client as GrpcClient } from '@grpc/grpc-js'
import { afterEach, describe, expect, test } from 'vitest'
import { buildBlock, createScriptedFeed } from '../../../harness/feed/index.ts'
import { decodeBlock } from '../../../sidecar/exex/blockCodec.ts'
import type { OfficialOptions } from '../../../sidecar/exex/client/official.ts'
import { plain } from '../../unit/exex/blocks.ts'
import { observeOfficial } from './observedOfficial.ts'
import { startScriptedOfficial } from './scriptedOfficial.ts'
import { startScriptedServer } from './startScriptedServer.ts'

/** An answer is waited for as long as it takes on whatever machine. */
const patiently = { timeout: 60_000 }
const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

function consume(options: OfficialOptions) {
  const consumer = observeOfficial(options)
  closing.push(consumer.stop)
  return consumer
}

describe('the official service', () => {
  test('carries live blocks both ways, and says what it leaves out', async () => {
    const subject = await startScriptedServer({
      feedOptions: {
        transactions: () => [
          { input: '0x0102030405', value: 7n, type: 2 },
          { to: null, type: 0, status: 'failed', input: '0xfe' },
          {
            type: 3,
            logs: [{ address: `0x${'11'.repeat(20)}`, topics: [`0x${'22'.repeat(32)}`], data: '0x3344' }],
          },
        ],
      },
    })
    closing.push(subject.close)
    subject.feed.commit(2)
    const consumer = consume({ url: subject.url })
    await expect
      .poll(() => consumer.events[0], patiently)
      .toMatchObject({ type: 'welcome', ancestor: undefined })
    expect(consumer.events[0]).toMatchObject({ server: expect.stringContaining('without bundle') })
    const [ref] = subject.feed.commit(1)
    const old = subject.feed.commit(2)
    await expect
      .poll(() => [consumer.error()?.message, consumer.notifications.length], patiently)
      .toEqual([undefined, 2])
    subject.feed.reorg(2, 3)
    subject.feed.revert(1)
    await expect
      .poll(() => consumer.notifications.map((one) => one.kind), patiently)
      .toEqual(['committed', 'committed', 'reorged', 'reverted'])
    expect(consumer.notifications[2]).toMatchObject({ undo: old })
    const first = consumer.notifications[0]!
    if (first.kind !== 'committed') throw new Error('not a commit')
    for await (const block of subject.feed.readBlocks(ref!.number, ref!.number)) {
      expect(plain(first.blocks[0]!)).toEqual(plain(decodeBlock(block.bytes)))
    }
  })

  const chain = (() => {
    const feed = createScriptedFeed()
    let parent = feed.genesis
    return Array.from({ length: 6 }, () => {
      const block = buildBlock({ parent, transactions: [], timestamp: 1n })
      parent = block.ref
      return block
    })
  })()

  test('without a way to fill a gap, ends at one by name', async () => {
    const server = await startScriptedOfficial(closing)
    const consumer = consume({ url: server.url })
    await expect.poll(() => consumer.events.length, patiently).toBe(1)
    server.commit(chain[0]!)
    server.commit(chain[3]!)
    await expect.poll(() => consumer.error(), patiently).toMatchObject({ code: 'GAP', fatal: true })
    expect(consumer.notifications).toHaveLength(1)
  })

  test('fills a gap from elsewhere, and only with blocks that fit', async () => {
    const server = await startScriptedOfficial(closing)
    const asked: bigint[][] = []
    const consumer = consume({
      url: server.url,
      fillGap: async (from, to) => {
        asked.push([from, to])
        return to === 3n ? chain.slice(1, 3) : chain.slice(0, 1)
      },
    })
    await expect.poll(() => consumer.events.length, patiently).toBe(1)
    server.commit(chain[0]!)
    server.commit(chain[3]!)
    await expect.poll(() => consumer.notifications.length, patiently).toBe(3)
    const numbers = consumer.notifications.flatMap((one) =>
      one.kind === 'reverted' ? [] : one.blocks.map((block) => block.ref.number),
    )
    expect(numbers).toEqual([1n, 2n, 3n, 4n])
    server.commit(chain[5]!)
    await expect.poll(() => consumer.error(), patiently).toMatchObject({ code: 'GAP' })
    expect(asked).toEqual([
      [2n, 3n],
      [5n, 5n],
    ])
  })

  test('is not mistaken for exex.v1 at another server', async () => {
    const server = await startScriptedOfficial(closing)
    const client: Client = new GrpcClient(server.url.slice('grpc://'.length), credentials.createInsecure())
    closing.push(() => client.close())
    const raw = (bytes: Buffer) => bytes
    const answer = new Promise((resolve) =>
      client.makeUnaryRequest('/exex.v1.ExEx/GetInfo', raw, raw, Buffer.alloc(0), (error) =>
        resolve(error?.code),
      ),
    )
    expect(await answer).toBe(12)
  })
})
