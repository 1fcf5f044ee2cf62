import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { BlockFacts, Percentiles } from '../../../sidecar/findings/blockFacts.ts'
import { decodeFacts, encodeFacts } from '../../../sidecar/findings/factsCodec.ts'
import { PAYMENT_BYTES } from '../../../sidecar/findings/payments.ts'

const hex = (bytes: number) =>
  fc
    .uint8Array({ minLength: bytes, maxLength: bytes })
    .map((value) => `0x${Buffer.from(value).toString('hex')}` as const)
const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
const uint32 = fc.nat(0xffffffff)
const percentiles = fc
  .array(uint64, { minLength: 5, maxLength: 5 })
  .map((values) => values as unknown as Percentiles)
const summary = fc.option(fc.record({ count: fc.integer({ min: 1, max: 2 ** 32 - 1 }), percentiles }), {
  nil: undefined,
})
const facts: fc.Arbitrary<BlockFacts> = fc.record({
  number: uint64,
  hash: hex(32),
  fees: fc.record({
    ...{ timestamp: uint64, gasLimit: uint64, gasUsed: uint64, transactions: uint32, failed: uint32 },
    baseFeePerGas: fc.option(uint64, { nil: undefined }),
    ...{ tips: summary, ceilings: summary },
  }),
  failures: fc.array(fc.record({ to: hex(20), selector: hex(4), failed: uint32 }), { maxLength: 5 }),
  repeats: fc.array(fc.record({ key: hex(8).map((key) => key.slice(2)), count: uint32 }), { maxLength: 5 }),
  payments: fc
    .array(fc.uint8Array({ minLength: PAYMENT_BYTES, maxLength: PAYMENT_BYTES }), { maxLength: 5 })
    .map((records) => new Uint8Array(Buffer.concat(records))),
})

test('whatever is remembered is read back', () => {
  fc.assert(
    fc.property(facts, (given) => {
      expect(decodeFacts(encodeFacts(given))).toEqual(given)
    }),
  )
})

test('cut off it is refused, never read as something else; of another release it is left alone', () => {
  fc.assert(
    fc.property(facts, fc.nat(), (given, where) => {
      const bytes = encodeFacts(given)
      const cut = 1 + (where % (bytes.length - 1))
      const missing = bytes.length - cut
      // Whole payments may be missing: nothing says how many there were.
      if (missing % PAYMENT_BYTES !== 0) expect(() => decodeFacts(bytes.subarray(0, cut))).toThrow(/damaged/)
      expect(decodeFacts(Uint8Array.from(bytes, (byte, i) => (i === 0 ? 2 : byte)))).toBeUndefined()
    }),
  )
})

test('a price that nobody pays is kept as the most there is', () => {
  const [given] = fc.sample(facts, { numRuns: 1, seed: 1 })
  const fees = { ...given!.fees, baseFeePerGas: 2n ** 70n }
  expect(decodeFacts(encodeFacts({ ...given!, fees }))!.fees.baseFeePerGas).toBe(2n ** 64n - 1n)
})
