import { expect, test } from 'vitest'
import { hello } from '../../support/exex/openRawSession.ts'
import { useServer } from './useServer.ts'

const { start, openSession } = useServer()

/**
 * A consumer far behind takes a final block above its tip as finality of what it was sent. So what is named final beside
 * a block must have been read before that block: one that was read ahead, and left the chain while the consumer made
 * no room for it, would become final by a block of the branch that replaced it.
 */
test('finality that comes with a block read ahead is from before that block was read', async () => {
  const feed = await start({ ringBlocks: 1 })
  feed.commit(12)
  const session = openSession()
  session.send(hello())
  // Room for less than two blocks: the second is read, and waits.
  session.send({ type: 'credit', bytes: 1n, notifications: 1 })
  await session.until((frame) => frame.type === 'end' && frame.cursor.number === 1n)
  const waiting = feed.canonical[2]!
  feed.reorg(11, 14)
  feed.finalize(9n)
  session.send({ type: 'credit', bytes: 10_000_000n, notifications: 1 })
  const begin = await session.until((frame) => frame.type === 'begin')
  const end = await session.until((frame) => frame.type === 'end')
  expect(end, 'the block that waited').toMatchObject({ cursor: waiting })
  expect(feed.canonical).not.toContainEqual(waiting)
  expect(begin).toMatchObject({ finalized: undefined })
})

/**
 * The live ring tells a consumer that lags all the chain went through, also that it left a branch and came back to it.
 * A block of that branch that is final by now would be undone by what is still to be told.
 */
test('finality that comes with a live block is as of that block, not of when it is sent', async () => {
  const feed = await start({ heartbeatMs: 20 })
  feed.commit(4)
  feed.finalize(1n)
  const session = openSession()
  session.send({ ...hello(), locator: [feed.head] })
  await session.until((frame) => frame.type === 'welcome')
  feed.commit(1)
  feed.reorg(2, 3)
  feed.finalize(4n)
  // No room to send any of it: the consumer still stands where the session began.
  for (let beats = 0; beats < 3; beats++)
    expect(await session.until((frame) => frame.type === 'heartbeat')).toMatchObject({
      head: feed.head,
      finalized: feed.canonical[1],
    })
  session.send({ type: 'credit', bytes: 1_000_000n, notifications: 1 })
  expect(await session.until((frame) => frame.type === 'begin')).toMatchObject({
    kind: 'committed',
    finalized: feed.canonical[1],
  })
  session.send({ type: 'credit', bytes: 1_000_000n, notifications: 1 })
  expect(await session.until((frame) => frame.type === 'begin')).toMatchObject({ kind: 'reorged' })
  // Now it has all that there is, and what is final is final for it too.
  await session.until((frame) => frame.type === 'heartbeat' && frame.finalized?.number === 4n)
})
