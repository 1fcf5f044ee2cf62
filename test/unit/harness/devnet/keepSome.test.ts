import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { DevnetTransaction } from '../../../../harness/devnet/createTransactionSource.ts'
import { keepSome } from '../../../../harness/devnet/keepSome.ts'
import { createRandom } from '../../../../harness/random.ts'

/** Blocks of transactions by their senders, in order of signing. */
const blocksOf = (senders: readonly (readonly number[])[]): DevnetTransaction[][] => {
  let order = 0
  return senders.map((block) =>
    block.map((sender) => ({
      kind: 'transfer' as const,
      sender,
      order: order++,
      raw: new Uint8Array(0),
      hash: new Uint8Array(0),
    })),
  )
}
const blocks = fc.array(fc.array(fc.nat(5), { maxLength: 20 }), { minLength: 1, maxLength: 5 })

test('keeps a first run of each sender, in order, never earlier than it was', () => {
  fc.assert(
    fc.property(blocks, fc.nat(), (senders, seed) => {
      const undone = blocksOf(senders)
      const kept = keepSome(undone, createRandom(seed, 'test'))
      const again = undone.map(() => kept.take())
      const was = (one: DevnetTransaction) => undone.findIndex((block) => block.includes(one))
      for (let sender = 0; sender <= 5; sender++) {
        const before = undone.flat().filter((one) => one.sender === sender)
        const after = again.flat().filter((one) => one.sender === sender)
        expect(after, `sender ${sender}`).toEqual(before.slice(0, after.length))
      }
      again.forEach((block, at) => {
        for (const one of block) expect(was(one), `order ${one.order}`).toBeLessThanOrEqual(at)
      })
    }),
  )
})

test('a sender is free once none of its own are to come', () => {
  fc.assert(
    fc.property(blocks, fc.nat(), (senders, seed) => {
      const undone = blocksOf(senders)
      const expected = keepSome(undone, createRandom(seed, 'test'))
      const rest = undone.map(() => expected.take())
      const kept = keepSome(undone, createRandom(seed, 'test'))
      undone.forEach((_, at) => {
        kept.take()
        const coming = new Set(rest.slice(at + 1).flatMap((block) => block.map(({ sender }) => sender)))
        for (let sender = 0; sender <= 5; sender++) {
          expect(kept.isFree(sender), `sender ${sender} after block ${at}`).toBe(!coming.has(sender))
        }
      })
    }),
  )
})

test('over many reorgs some come again, some later, some never', () => {
  const undone = blocksOf(
    Array.from({ length: 3 }, () => Array.from({ length: 40 }, (_, index) => index % 10)),
  )
  const counts = { same: 0, later: 0, never: 0 }
  for (let seed = 0; seed < 20; seed++) {
    const kept = keepSome(undone, createRandom(seed, 'test'))
    const again = undone.map(() => kept.take())
    undone.forEach((block, at) => {
      for (const one of block) {
        const to = again.findIndex((other) => other.includes(one))
        counts[to === -1 ? 'never' : to === at ? 'same' : 'later'] += 1
      }
    })
  }
  expect(Math.min(counts.same, counts.later, counts.never)).toBeGreaterThan(50)
})
