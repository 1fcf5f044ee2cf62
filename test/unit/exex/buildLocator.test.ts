import fc from 'fast-check'
import { expect, test } from 'vitest'
import { buildLocator } from '../../../sidecar/exex/client/buildLocator.ts'
import type { BlockRef } from '../../../sidecar/notification/types.ts'

const refAt = (number: bigint): BlockRef => ({ number, hash: `0x${number.toString(16).padStart(64, '0')}` })
const chainFrom = (first: number, length: number) =>
  Array.from({ length }, (_, i) => refAt(BigInt(first + i)))

const chains = fc.record({
  first: fc.integer({ min: 0, max: 1000 }),
  length: fc.integer({ min: 1, max: 5000 }),
  finalAt: fc.double({ min: 0, max: 1, noNaN: true }),
})

test('begins at the tip, falls without repeats, and ends with the finalized block', () => {
  fc.assert(
    fc.property(chains, ({ first, length, finalAt }) => {
      const refs = chainFrom(first, length)
      const finalized = refs[Math.floor(finalAt * (length - 1))]!
      const locator = buildLocator(refs, finalized)
      expect(locator[0]).toEqual(refs.at(-1))
      expect(locator.at(-1)).toEqual(finalized)
      for (let i = 1; i < locator.length; i++)
        expect(locator[i]!.number < locator[i - 1]!.number, `entry ${i}`).toBe(true)
      expect(locator.length).toBeLessThanOrEqual(18 + Math.ceil(Math.log2(length + 1)))
    }),
  )
})

test('whatever block the chains share above finality, the answer is at most twice as deep', () => {
  fc.assert(
    fc.property(chains, fc.double({ min: 0, max: 1, noNaN: true }), ({ first, length }, at) => {
      const refs = chainFrom(first, length)
      const fork = Math.floor(at * (length - 1))
      const locator = buildLocator(refs, refs[0])
      const answer = locator.find((ref) => ref.number <= refs[fork]!.number)!
      const depth = length - 1 - fork
      const answered = Number(refs.at(-1)!.number - answer.number)
      expect(answered).toBeLessThanOrEqual(depth < 16 ? depth : 2 * depth)
    }),
  )
})

test('ends with the oldest known block where nothing is final', () => {
  const refs = chainFrom(3, 40)
  expect(buildLocator(refs, undefined).at(-1)).toEqual(refs[0])
})

test('names a finalized block older than everything kept', () => {
  expect(buildLocator(chainFrom(50, 5), refAt(10n)).at(-1)).toEqual(refAt(10n))
})

test('leaves out a finalized block above the tip: it is not on this chain yet', () => {
  const refs = chainFrom(0, 2)
  expect(buildLocator(refs, refAt(9n))).toEqual(refs.toReversed())
})

test('is empty for a consumer that has nothing', () => {
  expect(buildLocator([], undefined)).toEqual([])
})
