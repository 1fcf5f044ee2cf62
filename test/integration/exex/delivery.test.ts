import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { ExExServerMetrics } from '#exex/server'
import type { TransactionFields } from '../../../harness/feed/index.ts'
import type { ObservedConsumer } from './observedConsumer.ts'
import { useServer } from './useServer.ts'

const { start, consume, subject } = useServer()

/** One input of so many bytes. */
const large = (bytes: number): readonly TransactionFields[] => [{ input: `0x${'5a'.repeat(bytes)}` }]

describe('delivery', () => {
  test('keeps unprocessed bytes below the window', async () => {
    const feed = await start({ feedOptions: { transactions: () => large(20_000) } })
    feed.commit(200)
    const windowBytes = 200_000
    const consumer = consume({ grants: false, windowBytes })
    let granted = 0
    let most = 0
    while (consumer.tip?.hash !== feed.head.hash) {
      await consumer.until('more', () => consumer.notifications.length > granted)
      most = Math.max(most, consumer.client.state().bufferedBytes)
      consumer.client.grant(consumer.notifications[granted++]!)
    }
    // One notification may exceed what is left, by less than itself.
    const biggest = Math.max(...consumer.notifications.map((one) => one.bytes))
    expect(most).toBeLessThanOrEqual(windowBytes + biggest)
    expect(biggest).toBeLessThanOrEqual(windowBytes)
    expect(most).toBeGreaterThan(windowBytes / 2)
  })

  test('sends a slow consumer to the cold path, and neither the source nor others wait', async () => {
    let fellBehind = 0
    const metrics: ExExServerMetrics = {
      sessionOpened: () => {},
      sessionClosed: () => {},
      notificationSent: () => {},
      fellBehind: () => {
        fellBehind++
      },
      ringChanged: () => {},
      finishedHeightChanged: () => {},
      consumerEvicted: () => {},
    }
    const feed = await start({ ringBlocks: 8, metrics })
    feed.commit(1)
    const fast = consume({ consumerId: 'fast' })
    const slow = consume({ consumerId: 'slow', grants: false, windowNotifications: 1 })
    await slow.until('its first', () => slow.notifications.length === 1)
    for (let i = 0; i < 50; i++) feed.commit(1)
    expect(feed.head.number).toBe(51n)
    await fast.until('the chain', () => fast.tip?.hash === feed.head.hash)
    expect(slow.notifications).toHaveLength(1)
    let granted = 0
    while (slow.tip?.hash !== feed.head.hash) {
      await slow.until('more', () => slow.notifications.length > granted)
      slow.client.grant(slow.notifications[granted++]!)
    }
    expect(slow.chain).toEqual(feed.canonical)
    expect(fellBehind).toBeGreaterThan(0)
    expect(slow.notifications.some((one) => one.source === 'catchUp')).toBe(true)
    expect(slow.disconnects).toEqual([])
  })

  test('finds a reorg that a slow consumer slept through, and undoes by name', async () => {
    const feed = await start({ ringBlocks: 4 })
    feed.commit(10)
    const slow = consume({ grants: false, windowNotifications: 1 })
    await slow.until('its first', () => slow.notifications.length === 1)
    expect(slow.tip).toEqual(feed.head)
    const undone = feed.canonical.slice(-3)
    feed.reorg(3, 12)
    slow.client.grant(slow.notifications[0]!)
    await slow.until('the new branch', () => slow.notifications.length === 2)
    expect(slow.notifications[1]).toMatchObject({ kind: 'reorged', undo: undone, source: 'catchUp' })
    slow.client.grant(slow.notifications[1]!)
    await slow.until('all', () => slow.tip?.hash === feed.head.hash)
    expect(slow.chain).toEqual(feed.canonical)
  })

  test('splits a block that is larger than a frame', async () => {
    const feed = await start({ feedOptions: { transactions: () => large(50_000) } })
    feed.commit(3)
    const consumer = consume({ maxFrameBytes: 8192, profile: 'receipts' })
    await consumer.until('the chain', () => consumer.tip?.hash === feed.head.hash)
    const blocks = consumer.notifications.flatMap((one) => (one.kind === 'reverted' ? [] : one.blocks))
    expect(blocks.map((block) => block.transactions.inputs.length)).toEqual([50_000, 50_000, 50_000])
    expect(consumer.disconnects).toEqual([])
  })

  test('cuts a long chain into bounded notifications', async () => {
    const feed = await start({ batchBlocks: 7 })
    feed.commit(30)
    const consumer = consume()
    await consumer.until('the chain', () => consumer.tip?.hash === feed.head.hash)
    const sizes = consumer.notifications.map((one) => (one.kind === 'reverted' ? 0 : one.blocks.length))
    expect(sizes).toEqual([7, 7, 7, 7, 2])
  })

  test('leaves logs out for a consumer that did not ask for them', async () => {
    const log = { address: `0x${'11'.repeat(20)}`, topics: [`0x${'22'.repeat(32)}`], data: '0x33' } as const
    const feed = await start({ feedOptions: { transactions: () => [{ logs: [log] }] } })
    feed.commit(1)
    const lean = consume({ consumerId: 'lean' })
    const full = consume({ consumerId: 'full', profile: 'receipts' })
    await lean.until('block 1', () => lean.notifications.length === 1)
    await full.until('block 1', () => full.notifications.length === 1)
    const logsOf = (consumer: ObservedConsumer) => {
      const [one] = consumer.notifications
      return one === undefined || one.kind === 'reverted'
        ? undefined
        : one.blocks[0]!.transactions.logs.length
    }
    expect(logsOf(lean)).toBe(0)
    expect(logsOf(full)).toBe(20 + 1 + 32 + 4 + 1)
  })

  test('refuses a profile the source cannot fill', async () => {
    await start({ feedOptions: { hasLogs: false } })
    const consumer = consume({ profile: 'receipts' })
    await consumer.until('the end', () => consumer.error !== undefined)
    expect(consumer.error).toMatchObject({ code: 'PROFILE_UNAVAILABLE' })
  })

  test('keeps a consumer while the source fails, and goes on when it answers', async () => {
    const feed = await start()
    feed.commit(5)
    feed.failReads(3)
    const consumer = consume()
    await consumer.until('the chain', () => consumer.tip?.hash === feed.head.hash)
    expect(consumer.disconnects).toEqual([])
  })

  test('stays open while the node is syncing, and says so', async () => {
    const feed = await start()
    feed.setSyncing(true)
    const consumer = consume()
    await consumer.until('heads', () => consumer.client.state().syncing)
    expect(consumer.events).toContainEqual(
      expect.objectContaining({ type: 'heads', syncing: true, head: feed.head }),
    )
    expect(consumer.disconnects).toEqual([])
  })

  test('names the oldest block when history is pruned below the cursor', async () => {
    const feed = await start()
    feed.commit(10)
    feed.prune(6n)
    const consumer = consume({ start: 3n })
    await consumer.until('the end', () => consumer.error !== undefined)
    expect(consumer.error).toMatchObject({ code: 'HISTORY_PRUNED', fatal: true })
    expect(consumer.error!.expected).toContain('6')
    const oldest = consume({ start: 6n, consumerId: 'oldest' })
    await oldest.until('the rest', () => oldest.tip?.hash === feed.head.hash)
  })

  test('serves over a unix socket', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'exex-'))
    const feed = await start({ listen: `unix:${join(folder, 'exex.sock')}` })
    feed.commit(2)
    const consumer = consume()
    await consumer.until('the chain', () => consumer.tip?.hash === feed.head.hash)
    consumer.stop()
    await subject().close()
    await rm(folder, { recursive: true })
  })
})
