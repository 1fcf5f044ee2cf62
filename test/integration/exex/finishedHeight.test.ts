import { status } from '@grpc/grpc-js'
import { describe, expect, test } from 'vitest'
import { hello } from '../../support/exex/openRawSession.ts'
import { useServer } from './useServer.ts'

const { start, consume, openSession, subject } = useServer()

/** A session that was sent all there is. */
async function openCaughtUp() {
  const session = openSession()
  session.send(hello())
  session.send({ type: 'credit', bytes: 1_000_000n, notifications: 100 })
  await session.until((frame) => frame.type === 'end')
  return session
}

describe('finished height', () => {
  test('waits for the slowest durable consumer, never for an observer', async () => {
    const feed = await start()
    feed.commit(6)
    const quick = consume({ consumerId: 'quick', acknowledges: true })
    const observer = consume({ consumerId: 'observer', mode: 'observer' })
    const late = consume({ consumerId: 'late' })
    for (const one of [quick, observer, late])
      await one.until('the chain', () => one.tip?.hash === feed.head.hash)
    feed.finalize(5n)
    late.client.acknowledge(late.chain[4]!, late.chain[3]!)
    await late.until('the height', () => feed.finishedHeights.at(-1)?.number === 3n)
    expect(feed.finishedHeights.at(-1)).toEqual(feed.canonical[3])
    late.client.acknowledge(late.tip!, late.tip!)
    await late.until('finalized', () => feed.finishedHeights.at(-1)?.number === 5n)
  })

  test('takes head minus the finality depth where the node has no finalized block', async () => {
    const feed = await start({ finalityDepth: 4n })
    feed.commit(10)
    const consumer = consume({ acknowledges: true })
    await consumer.until('the height', () => feed.finishedHeights.length > 0)
    expect(feed.finishedHeights.at(-1)).toEqual(feed.canonical[6])
  })

  test('never names a block of a branch that was undone', async () => {
    const feed = await start({ finalityDepth: 0n })
    feed.commit(6)
    const consumer = consume({ acknowledges: true })
    await consumer.until('the height', () => feed.finishedHeights.at(-1)?.number === 6n)
    feed.reorg(3, 4)
    await consumer.until('the new branch', () => consumer.tip?.hash === feed.head.hash)
    feed.commit(1)
    await consumer.until('a height on it', () => (feed.finishedHeights.at(-1)?.number ?? 0n) >= 7n)
    const last = feed.finishedHeights.at(-1)!
    expect(last).toEqual(feed.canonical[Number(last.number)])
  })

  test('does not wait for an evicted consumer, tells it, and takes it back when it can be served', async () => {
    const feed = await start({ evictAfterBlocks: 5n })
    feed.commit(3)
    const stuck = consume({ consumerId: 'stuck' })
    const alive = consume({ consumerId: 'alive', acknowledges: true })
    for (const one of [stuck, alive]) await one.until('the chain', () => one.tip?.hash === feed.head.hash)
    stuck.client.acknowledge(stuck.chain[1]!, stuck.chain[1]!)
    await stuck.until(
      'taken',
      () =>
        subject()
          .server.consumers()
          .find((one) => one.id === 'stuck')?.durable?.number === 1n,
    )
    feed.commit(6)
    await alive.until('its height', () =>
      subject()
        .server.consumers()
        .some((one) => one.id === 'alive' && one.durable?.number === 9n),
    )
    feed.finalize(8n)
    await stuck.until('the directive', () =>
      stuck.events.some((event) => event.type === 'directive' && event.kind === 'evicted'),
    )
    await alive.until('the height', () => feed.finishedHeights.at(-1)?.number === 8n)
    expect(subject().server.consumers()).toContainEqual(
      expect.objectContaining({ id: 'stuck', evicted: true }),
    )
    const chain = [...stuck.chain]
    stuck.stop()
    const back = consume({ consumerId: 'stuck', chain })
    await back.until('welcome', () => back.events.length > 0)
    expect(back.error).toBeUndefined()
    expect(subject().server.consumers()).toContainEqual(
      expect.objectContaining({ id: 'stuck', evicted: false }),
    )
  })

  test('answers an acknowledgement that crossed a reorg with the height as it was', async () => {
    const feed = await start()
    feed.commit(5)
    const session = await openCaughtUp()
    const [, , , , four, five] = feed.canonical
    session.send({ type: 'ack', processed: four, durable: feed.canonical[2] })
    await session.until((frame) => frame.type === 'acknowledged')
    feed.reorg(2, 3)
    await session.until((frame) => frame.type === 'end' && frame.cursor.number === 6n)
    session.send({ type: 'ack', processed: five, durable: five })
    const answer = await session.until((frame) => frame.type === 'acknowledged')
    expect(answer).toMatchObject({ durable: feed.canonical[2] })
  })

  test.each([
    ['above what was sent', { number: 99n, hash: `0x${'aa'.repeat(32)}` }],
    ['of another block at a sent height', { number: 2n, hash: `0x${'aa'.repeat(32)}` }],
  ] as const)('refuses an acknowledgement %s and closes', async (_, ref) => {
    const feed = await start()
    feed.commit(3)
    const session = await openCaughtUp()
    session.send({ type: 'ack', processed: ref, durable: ref })
    const error = await session.until((frame) => frame.type === 'error')
    expect(error).toMatchObject({ code: 'BAD_ACK' })
    expect(await session.ended).toBe(status.INVALID_ARGUMENT)
    expect(feed.finishedHeights).toEqual([])
  })

  test('refuses a durable height above the processed one', async () => {
    const feed = await start()
    feed.commit(3)
    const session = await openCaughtUp()
    session.send({ type: 'ack', processed: feed.canonical[1], durable: feed.canonical[2] })
    expect(await session.until((frame) => frame.type === 'error')).toMatchObject({ code: 'BAD_ACK' })
  })
})
