import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createScriptedFeed, startFaultyProxy } from '../../../harness/feed/index.ts'
import { observeConsumer } from './observedConsumer.ts'
import { startScriptedServer } from './startScriptedServer.ts'

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ verb: fc.constant('commit' as const), count: fc.integer({ min: 1, max: 6 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      verb: fc.constant('reorg' as const),
      depth: fc.integer({ min: 1, max: 8 }),
      count: fc.integer({ min: 1, max: 9 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ verb: fc.constant('revert' as const), depth: fc.integer({ min: 1, max: 4 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      verb: fc.constant('commitOnAncestor' as const),
      depth: fc.integer({ min: 1, max: 4 }),
      count: fc.integer({ min: 1, max: 5 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ verb: fc.constant('cut' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      verb: fc.constant('fault' as const),
      fault: fc.constantFrom('gap', 'cut', 'duplicate', 'wrongParent', 'corrupt', 'garbage'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      verb: fc.constant('finalize' as const),
      behind: fc.integer({ min: 10, max: 20 }),
    }),
  },
  // Lets what was sent so far arrive, or part of it.
  {
    weight: 3,
    arbitrary: fc.record({ verb: fc.constant('turns' as const), count: fc.integer({ min: 1, max: 20 }) }),
  },
)

test('whatever the chain and the wire do, the consumer ends with the canonical chain', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 25 }),
      fc.record({ ringBlocks: fc.integer({ min: 1, max: 12 }), batchBlocks: fc.integer({ min: 1, max: 5 }) }),
      async (steps, limits) => {
        const feed = createScriptedFeed()
        feed.commit(12)
        const subject = await startScriptedServer({ feed, ...limits })
        const proxy = await startFaultyProxy(subject.server.address)
        const consumer = observeConsumer({
          url: `grpc://${proxy.address}`,
          acknowledges: true,
          windowNotifications: 3,
          windowBytes: 4000,
        })
        // Never below what is final: that is refused, and tested by itself.
        const floor = () => Number(feed.heads().finalized?.number ?? 0n)
        const depthOf = (depth: number) => Math.min(depth, Number(feed.head.number) - floor())
        for (const one of steps) {
          if (one.verb === 'commit') feed.commit(one.count)
          else if (one.verb === 'reorg') feed.reorg(depthOf(one.depth), one.count)
          else if (one.verb === 'revert' && depthOf(one.depth) > 0) feed.revert(depthOf(one.depth))
          else if (one.verb === 'commitOnAncestor') feed.commitOnAncestor(depthOf(one.depth), one.count)
          else if (one.verb === 'cut') proxy.cut()
          else if (one.verb === 'fault') proxy.inject(one.fault as 'gap')
          else if (one.verb === 'finalize') {
            const number = feed.head.number - BigInt(one.behind)
            if (Number(number) > floor()) feed.finalize(number)
          } else if (one.verb === 'turns') {
            for (let i = 0; i < one.count; i++) await new Promise((resolve) => setImmediate(resolve))
          }
        }
        feed.commit(1)
        await consumer.until(
          'the head',
          () => consumer.tip?.hash === feed.head.hash || consumer.error !== undefined,
        )
        consumer.stop()
        await proxy.close()
        await subject.close()
        expect(consumer.error).toBeUndefined()
        expect(consumer.chain).toEqual(feed.canonical)
        for (const height of feed.finishedHeights) {
          expect(height, `finished height ${height.number} is final`).toEqual(
            feed.canonical[Number(height.number)],
          )
        }
      },
    ),
    { numRuns: 60 },
  )
})
