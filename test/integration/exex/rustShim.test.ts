import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { keccak256, numberToHex, serializeTransaction } from 'viem'
import { afterEach, describe, expect, onTestFinished, test } from 'vitest'
import { buildBlock } from '../../../harness/feed/buildBlock.ts'
import { encodeBlock, withoutLogs } from '../../../sidecar/exex/blockCodec.ts'
import type { Block, BlockRef, Notification } from '../../../sidecar/notification/types.ts'
import { plain } from '../../unit/exex/blocks.ts'
import { type ConformanceSubject, describeConformance } from './conformance.ts'
import { type ObservedConsumer, observeConsumer } from './observedConsumer.ts'
import { observeOfficial } from './observedOfficial.ts'

const binary = fileURLToPath(
  new URL('../../../docker/reth-exex/target/debug/examples/scripted', import.meta.url),
)

if (existsSync(binary)) {
  describeConformance('the shim that reth embeds', () => startRustShim())
  describeInsideANode()
} else
  describe('the shim that reth embeds', () => {
    test.skip('needs its test server: cargo build --example scripted, in docker/reth-exex', () => {})
  })

/** What a server meets that is fed by a node's notifications: some never come. */
function describeInsideANode(): void {
  describe('the shim that reth embeds, inside a node', () => {
    let shim: RustShim | undefined
    let consumer: ObservedConsumer | undefined
    afterEach(async () => {
      consumer?.stop()
      await shim?.close()
    })
    const follow = async (...options: readonly string[]) => {
      shim = await startRustShim(...options)
      await shim.commit(4)
      consumer = observeConsumer({ url: shim.url, acknowledges: true })
      const followed = consumer
      const { canonical } = shim
      const untilEqual = async (what: string) => {
        const chain = await canonical()
        await followed.until(what, () => followed.tip?.hash === chain.at(-1)!.hash)
        expect(followed.chain).toEqual(chain)
      }
      await untilEqual('the chain')
      return { shim, consumer, untilEqual }
    }

    test('reads from the node what it did not notify of', async () => {
      const { shim, untilEqual } = await follow()
      await shim.silently(2, 5)
      await untilEqual('the branch nobody told of')
      await shim.reorg(1, 2)
      await untilEqual('the next notification')
    })

    test('reads on when a notification does not follow what was told', async () => {
      const { shim, untilEqual } = await follow()
      await shim.silently(0, 2)
      await shim.commit(1)
      await untilEqual('all three blocks')
    })

    test('follows the node by reading when its feed has ended', async () => {
      const { shim, untilEqual } = await follow()
      await shim.endFeed()
      await shim.silently(0, 3)
      await untilEqual('more blocks')
      await shim.silently(3, 1)
      await untilEqual('a shorter branch')
    })

    // One frame is a megabyte: the larger block comes in parts.
    test.each([0, 3_000_000])('encodes a block as this side would, with %i bytes of input', async (bytes) => {
      shim = await startRustShim('--input-bytes', `${bytes}`)
      await shim.commit(2)
      const whole = observeConsumer({ url: shim.url, profile: 'receipts' })
      const lean = observeConsumer({ url: shim.url, profile: 'transactions', consumerId: 'lean' })
      try {
        for (const [one, logs] of [
          [whole, [{ address: contract, topics: [keccak256(numberToHex(2, { size: 8 }))], data: '0x' }]],
          [lean, []],
        ] as const) {
          await one.until('the chain', () => one.chain.length === 3)
          const block = one.notifications.flatMap((notification) =>
            notification.kind === 'reverted' ? [] : notification.blocks,
          )[1]!
          const input = `0x${'5a'.repeat(bytes)}` as const
          const gasPrice = 2_000_000_000n
          const signed = serializeTransaction(
            {
              type: 'eip1559',
              chainId: 1337,
              nonce: 2,
              gas: 100_000n,
              maxFeePerGas: gasPrice,
              maxPriorityFeePerGas: 1_000_000_000n,
              to: contract,
              value: 2n,
              data: input,
            },
            { r: numberToHex(3, { size: 32 }), s: numberToHex(1, { size: 32 }), yParity: 0 },
          )
          const expected = buildBlock({
            parent: block.parent,
            timestamp: 1_700_000_024n,
            transactions: [
              {
                from: `0x${'09'.repeat(20)}`,
                to: contract,
                input,
                value: 2n,
                nonce: 2n,
                gasPrice,
                hash: keccak256(signed),
                logs,
              },
            ],
          })
          const bytesOf = (one: Block) => {
            const encoded = encodeBlock({ ...one, ref: block.ref })
            return (logs.length > 0 ? encoded : withoutLogs(encoded)).bytes
          }
          expect(Buffer.compare(bytesOf(block), bytesOf({ ...expected, origin: undefined }))).toBe(0)
        }
      } finally {
        whole.stop()
        lean.stop()
      }
    })

    describe('by the official service', () => {
      /** A shim four blocks along, and a consumer that subscribed to it. */
      const subscribe = async () => {
        shim = await startRustShim()
        await shim.commit(4)
        const official = observeOfficial({ url: shim.url })
        onTestFinished(official.stop)
        await expect.poll(() => official.events.length, patiently).toBe(1)
        return { shim, official }
      }

      test('sends what the node notifies of, whole', async () => {
        const { shim, official } = await subscribe()
        expect(official.events[0]).toMatchObject({ type: 'welcome', server: 'exex.RemoteExEx' })
        const v1 = observeConsumer({ url: shim.url, profile: 'receipts', acknowledges: true })
        onTestFinished(v1.stop)
        await v1.until('the chain', () => v1.chain.length === 5)
        await shim.commit(2)
        const before = await shim.canonical()
        await shim.reorg(1, 3)
        const after = await shim.canonical()
        await shim.revert(1)
        await expect
          .poll(() => official.notifications.map((one) => one.kind), patiently)
          .toEqual(['committed', 'reorged', 'reverted'])
        const [committed, reorged, reverted] = official.notifications.map(stepOf)
        expect(committed).toMatchObject({ undo: [], added: before.slice(5) })
        expect(reorged).toMatchObject({ undo: before.slice(6), added: after.slice(6) })
        expect(reverted).toMatchObject({ undo: after.slice(8), added: [] })

        // The same blocks as by exex.v1, column by column.
        const hashes = new Set(committed!.added.map((ref) => ref.hash))
        await v1.until('the commit', () => stepsOf(v1).some((step) => hashes.has(step.added[0]!.hash)))
        const blocks = stepsOf(v1).flatMap((step) => step.blocks)
        expect(committed!.blocks.map(plain)).toEqual(
          blocks.filter((block) => hashes.has(block.ref.hash)).map(plain),
        )
      })

      test('ends a stream that misses a notification, so that its client knows', async () => {
        const { shim, official } = await subscribe()
        await shim.commit(1)
        await expect.poll(() => official.notifications.length, patiently).toBe(1)
        await shim.silently(0, 1)
        await shim.commit(1)
        const welcomes = () => official.events.filter((event) => event.type === 'welcome').length
        await expect.poll(welcomes, patiently).toBe(2)
        await shim.commit(1)
        await expect.poll(() => official.error()?.code, patiently).toBe('GAP')
        expect(official.notifications).toHaveLength(1)
      })
    })

    test('lets a consumer that is slower than the ring read from the node', async () => {
      const { shim } = await follow('--ring-blocks', '4')
      const slow = observeConsumer({
        url: shim.url,
        consumerId: 'slow',
        grants: false,
        windowNotifications: 1,
      })
      try {
        await slow.until('its first', () => slow.notifications.length === 1)
        // Thirty blocks ahead, where four are kept.
        for (let i = 0; i < 10; i++) await shim.commit(3)
        await shim.reorg(2, 3)
        const chain = await shim.canonical()
        for (let granted = 0; slow.tip?.hash !== chain.at(-1)!.hash; granted++) {
          await slow.until('the next', () => slow.notifications.length > granted)
          slow.client.grant(slow.notifications[granted]!)
        }
        expect(slow.chain).toEqual(chain)
      } finally {
        slow.stop()
      }
    })
  })
}

/** An answer is waited for as long as it takes on whatever machine. */
const patiently = { timeout: 60_000 }

/** What a notification undoes and adds. */
function stepOf(notification: Notification) {
  const blocks = notification.kind === 'reverted' ? [] : notification.blocks
  const undo = notification.kind === 'committed' ? [] : notification.undo
  return { undo, blocks, added: blocks.map((block) => block.ref) }
}

const stepsOf = (consumer: ObservedConsumer) =>
  consumer.notifications.map(stepOf).filter((step) => step.added.length > 0)

type RustShim = ConformanceSubject & {
  /** Changes the node's chain without a notification. */
  silently(depth: number, count: number): Promise<unknown>
  /** The node notifies of nothing more. */
  endFeed(): Promise<unknown>
}

/** What every transaction of the scripted chain calls. */
const contract = `0x${'07'.repeat(20)}` as const

type JsonRef = { readonly number: string; readonly hash: `0x${string}` }

const refOf = ({ number, hash }: JsonRef): BlockRef => ({ number: BigInt(number), hash })

/** The shim over a scripted chain, in a process of its own; see `docker/reth-exex/shim/examples/scripted.rs`. */
async function startRustShim(...options: readonly string[]): Promise<RustShim> {
  const child = spawn(binary, options, { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const nextLine = async (): Promise<unknown> => {
    const { done, value } = await lines.next()
    if (done === true) throw new Error('the shim ended')
    return JSON.parse(value)
  }
  const { listening, chainId } = (await nextLine()) as { listening: string; chainId: number }
  // Answers come in the order of the commands.
  let turn: Promise<unknown> = Promise.resolve()
  const ask = <T>(command: object): Promise<T> => {
    const answer = turn.then(() => {
      child.stdin.write(`${JSON.stringify(command)}\n`)
      return nextLine() as Promise<T>
    })
    turn = answer.catch(() => undefined)
    return answer
  }
  const change = (depth: number, count: number) => ask({ command: 'change', depth, count })
  return {
    url: `grpc://${listening}`,
    chainId: BigInt(chainId),
    commit: (count) => change(0, count),
    reorg: (depth, count) => change(depth, count),
    revert: (depth) => change(depth, 0),
    silently: (depth, count) => ask({ command: 'change', depth, count, silent: true }),
    endFeed: () => ask({ command: 'endFeed' }),
    finalize: (number) => ask({ command: 'finalize', number: Number(number) }),
    canonical: async () => (await ask<JsonRef[]>({ command: 'canonical' })).map(refOf),
    finishedHeights: async () => (await ask<JsonRef[]>({ command: 'finishedHeights' })).map(refOf),
    async close() {
      child.stdin.end()
      await ended
    },
  }
}
