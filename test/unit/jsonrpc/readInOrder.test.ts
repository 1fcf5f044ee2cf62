import fc from 'fast-check'
import { expect, test } from 'vitest'
import { findOldestBlock } from '../../../sidecar/exex/jsonrpc/findOldestBlock.ts'
import { readInOrder } from '../../../sidecar/exex/jsonrpc/readInOrder.ts'

test('results come in order whatever the order of the answers, never more than allowed at once', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.nat(20),
      fc.integer({ min: 1, max: 5 }),
      async (scheduler, count, concurrency) => {
        let inFlight = 0
        let most = 0
        const read = async (number: bigint) => {
          most = Math.max(most, ++inFlight)
          await scheduler.schedule(Promise.resolve())
          inFlight--
          return number
        }
        const numbers = scheduler.waitFor(
          Array.fromAsync(readInOrder(3n, 2n + BigInt(count), concurrency, read)),
        )
        expect(await numbers).toEqual(Array.from({ length: count }, (_, index) => BigInt(index + 3)))
        expect(most).toBeLessThanOrEqual(concurrency)
      },
    ),
  )
})

test('a failure is thrown in its turn, after the results before it', async () => {
  const first = Promise.withResolvers<string>()
  const read = (number: bigint) => (number === 1n ? first.promise : Promise.reject(new Error(`no ${number}`)))
  const seen: string[] = []
  const reading = (async () => {
    for await (const value of readInOrder(1n, 9n, 4, read)) seen.push(value)
  })()
  // Blocks 2 to 4 have failed by now; the first is still awaited.
  await Promise.resolve()
  first.resolve('one')
  await expect(reading).rejects.toThrow('no 2')
  expect(seen).toEqual(['one'])
})

test('leaving the loop starts nothing further', async () => {
  const asked: bigint[] = []
  for await (const value of readInOrder(1n, 100n, 3, async (number) => asked.push(number))) {
    expect(value).toBeGreaterThan(0)
    break
  }
  expect(asked).toEqual([1n, 2n, 3n])
})

test('finds the oldest block of a node pruned from the bottom, in few calls', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(5_000), fc.nat(5_000), async (head, below) => {
      // The head itself is always there.
      const oldest = BigInt(Math.min(head, below))
      let calls = 0
      const found = await findOldestBlock(BigInt(head), async (number) => {
        calls++
        return number >= oldest
      })
      expect(found).toBe(oldest <= 1n ? 0n : oldest)
      expect(calls).toBeLessThanOrEqual(1 + Math.ceil(Math.log2(head + 1)))
    }),
  )
})
