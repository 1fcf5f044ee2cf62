import { status } from '@grpc/grpc-js'
import { describe, expect, test } from 'vitest'
import type { HelloFrame } from '../../../sidecar/exex/frames.ts'
import { hello } from '../../support/exex/openRawSession.ts'
import { useServer } from './useServer.ts'

const { start, consume, openSession, subject } = useServer()

describe('sessions', () => {
  test.each<[string, Partial<HelloFrame>, string, number]>([
    [
      'a version nobody speaks',
      { protocolMin: 7, protocolMax: 9 },
      'VERSION_MISMATCH',
      status.FAILED_PRECONDITION,
    ],
    ['a frame limit too small', { maxFrameBytes: 10 }, 'BAD_REQUEST', status.INVALID_ARGUMENT],
    ['a start above the head', { start: 100n }, 'BAD_REQUEST', status.INVALID_ARGUMENT],
    [
      'a locator without bound',
      {
        locator: Array.from({ length: 300 }, (_, i) => ({
          number: BigInt(i),
          hash: `0x${'01'.repeat(32)}` as const,
        })),
      },
      'BAD_REQUEST',
      status.INVALID_ARGUMENT,
    ],
  ])('refuses %s', async (_, fields, code, grpcStatus) => {
    await start()
    const session = openSession()
    session.send({ ...hello(), ...fields })
    expect(await session.until((frame) => frame.type === 'error')).toMatchObject({ code })
    expect(await session.ended).toBe(grpcStatus)
  })

  test('refuses a first frame that is not Hello', async () => {
    await start()
    const session = openSession()
    session.send({ type: 'credit', bytes: 1n, notifications: 1 })
    expect(await session.until((frame) => frame.type === 'error')).toMatchObject({
      code: 'MALFORMED',
      expected: 'hello first',
    })
  })

  test('closes a session whose client does not answer heartbeats', async () => {
    await start({ pingMs: 40, pingTimeoutMs: 80 })
    const session = openSession()
    session.send(hello())
    expect(await session.until((frame) => frame.type === 'error')).toMatchObject({ code: 'SILENCE' })
    expect(await session.ended).toBe(status.DEADLINE_EXCEEDED)
  })

  test('keeps a session whose client answers them', async () => {
    // Time passes with the heartbeats heard, so that a delay of the machine does not count as one of the client.
    let time = 0
    // HTTP/2's own keepalive has the same limit, and goes by the real clock.
    await start({ pingMs: 20, pingTimeoutMs: 5_000, now: () => time })
    const consumer = consume()
    const heard = () => consumer.events.filter((event) => event.type === 'heads').length
    for (let beats = 1; beats <= 30; beats++) {
      await consumer.until(`heartbeat ${beats}`, () => heard() >= beats)
      time += 500
    }
    expect(consumer.disconnects).toEqual([])
  })

  test('refuses acknowledgements of a fenced session', async () => {
    const feed = await start()
    feed.commit(3)
    const session = openSession()
    session.send({ ...hello(), consumerId: 'twin' })
    session.send({ type: 'credit', bytes: 1_000_000n, notifications: 100 })
    await session.until((frame) => frame.type === 'end')
    const fresh = consume({ consumerId: 'twin' })
    await fresh.until('welcome', () => fresh.events.length > 0)
    session.send({ type: 'ack', processed: feed.canonical[3], durable: feed.canonical[3] })
    expect(await session.ended).toBe(status.ABORTED)
    await fresh.until('the chain', () => fresh.tip?.hash === feed.head.hash)
    expect(subject().server.consumers()).toContainEqual(
      expect.objectContaining({ id: 'twin', durable: undefined }),
    )
  })

  test('ends the stream when its signal is aborted', async () => {
    await start()
    const controller = new AbortController()
    const consumer = consume({ signal: controller.signal })
    await consumer.until('welcome', () => consumer.events.length > 0)
    controller.abort()
    await consumer.until('completion', () => consumer.completed)
    expect(consumer.client.state().connected).toBe(false)
  })
})
