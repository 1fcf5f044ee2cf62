import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type FaultyProxy, type FeedFault, startFaultyProxy } from '../../../harness/feed/index.ts'
import type { ExExErrorCode } from '../../../sidecar/exex/errors.ts'
import { type ObservedConsumer, type ObservedOptions, observeConsumer } from './observedConsumer.ts'
import { type ScriptedServer, startScriptedServer } from './startScriptedServer.ts'

describe('faults on the wire', () => {
  let subject: ScriptedServer
  let proxy: FaultyProxy
  let consumers: ObservedConsumer[] = []
  const consume = (options: Partial<ObservedOptions> = {}) => {
    const consumer = observeConsumer({ url: `grpc://${proxy.address}`, ...options })
    consumers.push(consumer)
    return consumer
  }

  beforeEach(async () => {
    subject = await startScriptedServer()
    proxy = await startFaultyProxy(subject.server.address)
    subject.feed.commit(3)
  })
  afterEach(async () => {
    for (const consumer of consumers) consumer.stop()
    consumers = []
    await proxy.close()
    await subject.close()
  })

  async function survives(fault: FeedFault): Promise<ObservedConsumer> {
    const consumer = consume()
    await consumer.until('history', () => consumer.tip?.hash === subject.feed.head.hash)
    proxy.inject(fault)
    subject.feed.commit(2)
    subject.feed.commit(1)
    await consumer.until(
      'the chain',
      () => consumer.tip?.hash === subject.feed.head.hash && proxy.pending.length === 0,
    )
    await consumer.until('all of it', () => consumer.tip?.hash === subject.feed.head.hash)
    expect(consumer.chain).toEqual(subject.feed.canonical)
    expect(consumer.error).toBeUndefined()
    return consumer
  }

  test('drops a notification that comes twice', async () => {
    const consumer = await survives('duplicate')
    await consumer.until('the copy', () => consumer.duplicates === 1)
    expect(consumer.disconnects).toEqual([])
    const sequences = consumer.notifications.map((one) => one.sequence)
    expect(new Set(sequences).size).toBe(sequences.length)
  })

  test.each<[FeedFault, ExExErrorCode, string]>([
    // What follows shows it, or the next heartbeat.
    ['gap', 'DATA_LOSS', 'seq'],
    ['wrongParent', 'DATA_LOSS', 'begin.parent'],
    ['corrupt', 'DATA_LOSS', 'end.crc32'],
    ['reorder', 'DATA_LOSS', 'end.block_count'],
    ['garbage', 'DATA_LOSS', 'ServerFrame'],
    ['oversized', 'FRAME_TOO_LARGE', 'call'],
    ['cut', 'UNAVAILABLE', 'call'],
  ])('reconnects with the locator after %s, having applied nothing of it', async (fault, code, where) => {
    const consumer = await survives(fault)
    expect(consumer.disconnects[0]).toMatchObject({
      code,
      where: expect.stringContaining(where),
      fatal: false,
    })
    expect(consumer.events.filter((event) => event.type === 'welcome').length).toBeGreaterThan(1)
  })

  test('names both sizes when a frame is too large', async () => {
    const consumer = await survives('oversized')
    expect(consumer.disconnects[0]!.actual).toMatch(/larger than max \(\d+ vs \d+\)/)
  })

  test('leaves a server that has gone silent and comes back when it speaks', async () => {
    const consumer = consume({ silenceMs: 200 })
    await consumer.until('history', () => consumer.tip?.hash === subject.feed.head.hash)
    proxy.stall()
    await consumer.until('silence', () => consumer.disconnects.some((error) => error.code === 'SILENCE'))
    subject.feed.commit(2)
    proxy.resume()
    await consumer.until('the chain', () => consumer.tip?.hash === subject.feed.head.hash)
    expect(consumer.error).toBeUndefined()
  })

  test('comes back after its server has restarted, under a new epoch', async () => {
    const { feed } = subject
    const consumer = consume({ url: `grpc://${subject.server.address}`, acknowledges: true })
    await consumer.until('history', () => consumer.tip?.hash === feed.head.hash)
    feed.finalize(2n)
    await consumer.until('the height', () => feed.finishedHeights.at(-1)?.number === 2n)
    await subject.server.close()
    expect(consumer.events).toContainEqual(expect.objectContaining({ type: 'directive', kind: 'goingAway' }))
    const told = feed.finishedHeights.length
    subject = await startScriptedServer({ feed, listen: subject.server.address })
    feed.commit(1)
    await consumer.until('the chain', () => consumer.tip?.hash === feed.head.hash)
    const epochs = consumer.events.flatMap((event) => (event.type === 'welcome' ? [event.epoch] : []))
    expect(new Set(epochs).size).toBe(2)
    // A node forgets the height when it starts: it is told again though it has not changed.
    await consumer.until('the height again', () => feed.finishedHeights.length > told)
    expect(feed.finishedHeights[told]).toEqual(feed.canonical[2])
  })

  test('takes a commit on an ancestor for an undo down to it', async () => {
    const consumer = consume()
    await consumer.until('history', () => consumer.tip?.hash === subject.feed.head.hash)
    subject.feed.commitOnAncestor(2, 4)
    await consumer.until('the new branch', () => consumer.tip?.hash === subject.feed.head.hash)
    expect(consumer.chain).toEqual(subject.feed.canonical)
    expect(consumer.error).toBeUndefined()
  })
})
