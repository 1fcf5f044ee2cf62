import { expect, test } from 'vitest'
import { hello } from '../../support/exex/openRawSession.ts'
import { useServer } from './useServer.ts'

const { start, openSession, subject } = useServer()

/**
 * A session that resumed at the tip acknowledges a block from before it, as a sidecar does that is still at work on what
 * an earlier session brought. A reorg deeper than the session's ancestor is on its way to it meanwhile. Both sides are
 * right, so nothing changes; but the server answers BAD_ACK, which ends a consumer for good.
 */
test.each([
  ['before the reorg is sent', 0],
  ['after the reorg is sent', 1],
])('an acknowledgement of a block from before the session may cross a reorg, %s', async (_, credit) => {
  const feed = await start()
  feed.commit(8)
  const held = feed.canonical.slice(1)
  const session = openSession()
  session.send({ ...hello(), locator: held.toReversed() })
  const welcome = await session.until((frame) => frame.type === 'welcome')
  expect(welcome).toMatchObject({ ancestor: feed.head })
  if (credit > 0) session.send({ type: 'credit', bytes: 1_000_000n, notifications: credit })
  feed.reorg(5, 6)
  if (credit > 0) await session.until((frame) => frame.type === 'end')
  // Block 6, undone by now: the consumer has not read of that yet.
  session.send({ type: 'ack', processed: held[5], durable: held[5] })
  const answer = await session.until((frame) => frame.type === 'acknowledged' || frame.type === 'error')
  expect(answer).toMatchObject({ type: 'acknowledged', durable: undefined })
  expect(subject().server.consumers()).toMatchObject([{ connected: true }])
})

test('an acknowledgement counts for nothing when the undo of its block waits for credit', async () => {
  const feed = await start()
  feed.commit(5)
  const held = feed.canonical
  const session = openSession()
  session.send(hello())
  session.send({ type: 'credit', bytes: 1_000_000n, notifications: 1 })
  await session.until((frame) => frame.type === 'end')
  feed.reorg(2, 6)
  feed.finalize(7n)
  session.send({ type: 'ack', processed: held[5], durable: held[5] })
  const answer = await session.until((frame) => frame.type === 'acknowledged' || frame.type === 'error')
  expect(answer).toMatchObject({ type: 'acknowledged', durable: undefined, finishedHeight: undefined })
  expect(feed.finishedHeights).toEqual([])
})

test('what was durable above the ancestor is not when a consumer comes back', async () => {
  const feed = await start()
  feed.commit(6)
  const held = feed.canonical
  feed.finalize(6n)
  const session = openSession()
  session.send({ ...hello(), locator: [held[3]!], durable: held[5] })
  await session.until((frame) => frame.type === 'welcome')
  await expect.poll(() => feed.finishedHeights.length, { timeout: 60_000 }).toBeGreaterThan(0)
  expect(feed.finishedHeights[0]).toEqual(held[3])
})
