import fc from 'fast-check'
import type { Hash } from 'viem'
import { expect, test } from 'vitest'
import { type ChainRing, createChainRing } from '../../../sidecar/exex/jsonrpc/chainRing.ts'
import { ChainMovedError } from '../../../sidecar/exex/jsonrpc/errors.ts'
import { finalityOf } from '../../../sidecar/exex/jsonrpc/finalityOf.ts'
import type { BlockRef } from '../../../sidecar/notification/types.ts'

const ref = (number: number | bigint, fork = 0): BlockRef => ({
  number: BigInt(number),
  hash: `0x${(BigInt(number) * 1000n + BigInt(fork)).toString(16).padStart(64, '0')}` as Hash,
})
const refs = (from: number, to: number, fork = 0) =>
  Array.from({ length: to - from + 1 }, (_, index) => ref(from + index, fork))
const everything = (ring: ChainRing) => [ring.oldest, ...ring.above(ring.oldest.number)]

test('is the end of a naive list of the chain, whatever is undone, added and refilled', () => {
  const step = fc.record({ undo: fc.nat(12), add: fc.nat(15), refill: fc.boolean() })
  fc.assert(
    fc.property(
      fc.nat(20),
      fc.integer({ min: 1, max: 10 }),
      fc.array(step, { maxLength: 30 }),
      (start, depth, steps) => {
        let chain = refs(0, start)
        let ring = createChainRing([chain.at(-1)!], depth)
        for (const [index, { undo, add, refill }] of steps.entries()) {
          const kept = Math.max(Number(ring.oldest.number), chain.length - 1 - undo)
          expect(ring.above(BigInt(kept))).toEqual(chain.slice(kept + 1))
          const added = refs(kept + 1, kept + add, index + 1)
          chain = [...chain.slice(0, kept + 1), ...added]
          ring = ring.replaced(BigInt(kept), added)
          const { missing } = ring
          if (refill && missing) {
            ring = ring.refilled(chain.slice(Number(missing.from), Number(missing.to) + 1))
            expect(ring.missing).toBeUndefined()
          }
          expect(everything(ring)).toEqual(chain.slice(Number(ring.oldest.number)))
          expect(everything(ring).length).toBeLessThanOrEqual(depth + 1)
          expect(ring.tip).toEqual(chain.at(-1))
          for (const block of chain) {
            const inside = block.number >= ring.oldest.number
            expect(ring.at(block.number)).toEqual(inside ? block : undefined)
            expect(ring.has(block.number, block.hash)).toBe(inside)
          }
        }
      },
    ),
  )
})

test('a hole is refused', () => {
  const ring = createChainRing(refs(5, 8), 10)
  expect(() => ring.replaced(8n, [ref(10)])).toThrow(RangeError)
  expect(() => ring.replaced(9n, [])).toThrow(RangeError)
  expect(() => ring.replaced(4n, [])).toThrow(RangeError)
  expect(() => createChainRing([ref(1), ref(3)], 10)).toThrow(RangeError)
})

test.each([
  ['none named', undefined, undefined],
  ['one of ours', ref(6), ref(6)],
  ['our tip', ref(8), ref(8)],
  ['above our tip, which is final with it', ref(9, 1), ref(8)],
  ['below what can be undone, the node is believed', ref(2, 1), ref(2, 1)],
])('finality: %s', (_what, named, expected) => {
  expect(finalityOf(createChainRing(refs(5, 8), 10), named)).toEqual(expected)
})

test('finality: a block that is not on the chain given with it is no claim but a reason to read again', () => {
  expect(() => finalityOf(createChainRing(refs(5, 8), 10), ref(6, 1))).toThrow(ChainMovedError)
})
