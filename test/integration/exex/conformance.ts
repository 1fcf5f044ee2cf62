import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { BlockRef } from '../../../sidecar/notification/types.ts'
import { type ObservedConsumer, type ObservedOptions, observeConsumer } from './observedConsumer.ts'

/** A server under test, with what moves its chain. */
export type ConformanceSubject = {
  readonly url: string
  readonly chainId: bigint
  /** Extends the chain by `count` blocks; resolves when the server has them. */
  commit(count: number): Promise<unknown>
  reorg(depth: number, count: number): Promise<unknown>
  revert(depth: number): Promise<unknown>
  finalize(number: bigint): Promise<unknown>
  /** Genesis first. */
  canonical(): Promise<readonly BlockRef[]>
  /** Heights the node was told, in order. */
  finishedHeights(): Promise<readonly BlockRef[]>
  close(): Promise<void>
}

/**
 * What every `exex.v1` server does, whatever its chain comes from: call it with a way to start one. A server that
 * cannot revert without a new branch leaves `revert` out of `can`.
 */
export function describeConformance(
  name: string,
  startServer: () => Promise<ConformanceSubject>,
  can: { readonly revert: boolean } = { revert: true },
): void {
  describe(`${name} conforms to exex.v1`, () => {
    let subject: ConformanceSubject
    let consumers: ObservedConsumer[] = []
    const consume = (options: Partial<ObservedOptions> = {}) => {
      const consumer = observeConsumer({ url: subject.url, ...options })
      consumers.push(consumer)
      return consumer
    }
    const tipOf = async () => (await subject.canonical()).at(-1)!

    beforeEach(async () => {
      subject = await startServer()
    })
    afterEach(async () => {
      for (const consumer of consumers) consumer.stop()
      consumers = []
      await subject.close()
    })

    test('delivers history and then the live chain, in order', async () => {
      await subject.commit(5)
      const consumer = consume()
      const five = await tipOf()
      await consumer.until('history', () => consumer.tip?.hash === five.hash)
      await subject.commit(3)
      const eight = await tipOf()
      await consumer.until('live blocks', () => consumer.tip?.hash === eight.hash)
      expect(consumer.chain).toEqual(await subject.canonical())
      expect(consumer.disconnects).toEqual([])
    })

    test('announces a reorg by reference and delivers the new branch', async () => {
      await subject.commit(4)
      const consumer = consume()
      const old = await tipOf()
      await consumer.until('the first branch', () => consumer.tip?.hash === old.hash)
      const before = await subject.canonical()
      await subject.reorg(2, 3)
      const tip = await tipOf()
      await consumer.until('the new branch', () => consumer.tip?.hash === tip.hash)
      expect(consumer.chain).toEqual(await subject.canonical())
      const undone = consumer.notifications.flatMap((one) => (one.kind === 'committed' ? [] : one.undo))
      expect(undone).toEqual(before.slice(-2))
    })

    test.skipIf(!can.revert)('announces a revert without blocks', async () => {
      await subject.commit(4)
      const consumer = consume()
      const old = await tipOf()
      await consumer.until('the chain', () => consumer.tip?.hash === old.hash)
      await subject.revert(2)
      const tip = await tipOf()
      await consumer.until('the revert', () => consumer.tip?.hash === tip.hash)
      expect(consumer.notifications.at(-1)).toMatchObject({ kind: 'reverted', parent: tip })
    })

    test('resumes after a reorg that happened while the consumer was away', async () => {
      await subject.commit(6)
      const away = await subject.canonical()
      await subject.reorg(3, 5)
      const tip = await tipOf()
      const consumer = consume({ chain: away })
      await consumer.until('the new branch', () => consumer.tip?.hash === tip.hash)
      expect(consumer.events[0]).toMatchObject({ type: 'welcome', ancestor: away[3] })
      expect(consumer.chain).toEqual(await subject.canonical())
    })

    test('undoes to the ancestor when the node has lost blocks the consumer has', async () => {
      await subject.commit(3)
      const known = await subject.canonical()
      const lost: BlockRef[] = [4n, 5n].map((number) => ({ number, hash: `0x${`0${number}`.repeat(32)}` }))
      const consumer = consume({ chain: [...known, ...lost] })
      await consumer.until('welcome', () => consumer.events.length > 0)
      expect(consumer.events[0]).toMatchObject({ type: 'welcome', ancestor: known.at(-1) })
    })

    test('asks for an operator when the chains meet below what is final', async () => {
      await subject.commit(6)
      const away = await subject.canonical()
      await subject.reorg(4, 6)
      // The consumer holds block 4 for final; the chains meet at block 2.
      const consumer = consume({
        locator: () => ({ blocks: away.slice(4).toReversed(), finalized: away[4], durable: away[6] }),
      })
      await consumer.until('the end', () => consumer.error !== undefined)
      expect(consumer.error).toMatchObject({ code: 'RESYNC', fatal: true })
      expect(consumer.events).toContainEqual(expect.objectContaining({ type: 'directive', kind: 'resync' }))
    })

    test('refuses another chain, by name', async () => {
      const consumer = consume({ chainId: subject.chainId + 1n })
      await consumer.until('the end', () => consumer.error !== undefined)
      expect(consumer.error).toMatchObject({ code: 'CHAIN_MISMATCH', fatal: true })
    })

    test('refuses another genesis, by name', async () => {
      const consumer = consume({ genesisHash: `0x${'ab'.repeat(32)}` })
      await consumer.until('the end', () => consumer.error !== undefined)
      expect(consumer.error).toMatchObject({ code: 'GENESIS_MISMATCH', fatal: true })
    })

    test('refuses a consumer id that is not one', async () => {
      const consumer = consume({ consumerId: 'no spaces please' })
      await consumer.until('the end', () => consumer.error !== undefined)
      expect(consumer.error).toMatchObject({ code: 'BAD_CONSUMER_ID', fatal: true })
    })

    test('sends no more than was granted', async () => {
      await subject.commit(12)
      const consumer = consume({ grants: false, windowNotifications: 1, windowBytes: 1 })
      await consumer.until('the first notification', () => consumer.notifications.length === 1)
      const heartbeats = () => consumer.events.filter((event) => event.type === 'heads').length
      const seen = heartbeats()
      await consumer.until('two heartbeats', () => heartbeats() >= seen + 2)
      expect(consumer.notifications).toHaveLength(1)
      // One byte of credit lets one block go, not a batch.
      expect(consumer.chain).toHaveLength(2)
      consumer.client.grant(consumer.notifications[0]!)
      await consumer.until('the second', () => consumer.notifications.length === 2)
    })

    test('tells the node min(durable, finalized), and never more', async () => {
      await subject.commit(8)
      const chain = await subject.canonical()
      const consumer = consume({ acknowledges: true })
      await consumer.until('the chain', () => consumer.tip?.hash === chain.at(-1)!.hash)
      await subject.finalize(5n)
      await subject.commit(1)
      await consumer.until('the height', () => consumer.client.state().finishedHeight?.number === 5n)
      for (const height of await subject.finishedHeights()) {
        expect(height, `height ${height.number} is finalized and canonical`).toEqual(
          chain[Number(height.number)],
        )
        expect(height.number).toBeLessThanOrEqual(5n)
      }
    })

    test('refuses an acknowledgement of a block it never sent, and keeps the height', async () => {
      await subject.commit(3)
      await subject.finalize(2n)
      const consumer = consume()
      const tip = await tipOf()
      await consumer.until('the chain', () => consumer.tip?.hash === tip.hash)
      const before = await subject.finishedHeights()
      // Below the session's ancestor a client cannot know better: the server checks.
      consumer.client.acknowledge(tip, { number: 2n, hash: tip.hash })
      const lying = consume({ consumerId: 'liar', start: 3n })
      await lying.until('the chain', () => lying.tip?.hash === tip.hash)
      lying.client.acknowledge(
        { number: 1n, hash: `0x${'cd'.repeat(32)}` },
        { number: 1n, hash: `0x${'cd'.repeat(32)}` },
      )
      await lying.until('the end', () => lying.error !== undefined)
      expect(lying.error).toMatchObject({ code: 'BAD_ACK', fatal: true })
      expect(await subject.finishedHeights()).toEqual(before)
    })

    test('lets the newest session of a consumer win and fences the old', async () => {
      await subject.commit(2)
      const old = consume({ consumerId: 'twin' })
      await old.until('welcome', () => old.events.length > 0)
      const fresh = consume({ consumerId: 'twin' })
      await fresh.until('welcome', () => fresh.events.length > 0)
      await old.until('the end', () => old.error !== undefined)
      expect(old.error).toMatchObject({ code: 'FENCED', fatal: true })
      expect(old.events).toContainEqual(expect.objectContaining({ type: 'directive', kind: 'fenced' }))
      await subject.commit(1)
      const tip = await tipOf()
      await fresh.until('the chain', () => fresh.tip?.hash === tip.hash)
    })

    test('gives every consumer the whole chain, each at its own pace', async () => {
      await subject.commit(3)
      const fast = consume({ consumerId: 'fast' })
      const slow = consume({ consumerId: 'slow', grants: false, windowNotifications: 1 })
      await slow.until('its first', () => slow.notifications.length === 1)
      await subject.commit(20)
      const tip = await tipOf()
      await fast.until('the chain', () => fast.tip?.hash === tip.hash)
      expect(slow.notifications).toHaveLength(1)
      slow.client.grant(slow.notifications[0]!)
      await slow.until('its second', () => slow.notifications.length === 2)
    })
  })
}
