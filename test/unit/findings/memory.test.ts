import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { BlockFacts } from '../../../sidecar/findings/blockFacts.ts'
import { createMemory } from '../../../sidecar/findings/memory.ts'
import { collectPayments, paymentHash } from '../../../sidecar/findings/payments.ts'
import { account, lookalikeOf } from './events.ts'

const bytesOf = (address: string) => Buffer.from(address.slice(2), 'hex')
const people = ['ann', 'bob'].map(account)
/** Two families of addresses that look alike. */
const payees = ['cid', 'dan']
  .map(account)
  .flatMap((each) => [each, lookalikeOf(each, '1'), lookalikeOf(each, '2')])
const looksLike = (a: string, b: string) => a.slice(0, 5) === b.slice(0, 5) && a.slice(-4) === b.slice(-4)

type Paid = { readonly payer: string; readonly payee: string; readonly bits: number }
type Counted = { readonly key: string; readonly count: number }
type Given = {
  readonly paid: readonly Paid[]
  readonly failed: readonly Counted[]
  readonly repeated: readonly Counted[]
}

const given: fc.Arbitrary<Given> = fc.record({
  paid: fc.array(
    fc.record({ payer: fc.constantFrom(...people), payee: fc.constantFrom(...payees), bits: fc.nat(255) }),
    { maxLength: 6 },
  ),
  ...{ failed: counted(), repeated: counted() },
})
function counted() {
  const one = fc.record({ key: fc.constantFrom('a', 'b'), count: fc.integer({ min: 1, max: 9 }) })
  return fc.uniqueArray(one, { selector: ({ key }) => key })
}

function factsOf(number: bigint, { paid, failed, repeated }: Given): BlockFacts {
  const payments = collectPayments(paid.length)
  for (const { payer, payee, bits } of paid) {
    const [from, to] = [bytesOf(payer), bytesOf(payee)]
    payments.add(paymentHash(from, 0, to, 0), { bytes: from, at: 0 }, { bytes: to, at: 0 }, undefined, bits)
  }
  return {
    ...{ number, hash: `0x${'00'.repeat(32)}`, payments: payments.records },
    fees: {
      timestamp: 0n,
      gasLimit: 0n,
      gasUsed: 0n,
      baseFeePerGas: undefined,
      transactions: 0,
      failed: 0,
      tips: undefined,
      ceilings: undefined,
    },
    failures: failed.map(({ key, count }) => ({ to: account(key), selector: '0x00000000', failed: count })),
    repeats: repeated,
  }
}

test('blocks added and taken out at either end: what is answered is what a look through them finds', () => {
  const step = fc.constantFrom(
    'newest' as const,
    'newest' as const,
    'oldest' as const,
    'undo' as const,
    'prune' as const,
  )
  let found = 0
  fc.assert(
    fc.property(fc.array(fc.tuple(step, given), { minLength: 1, maxLength: 14 }), (steps) => {
      const memory = createMemory()
      const model: { number: bigint; given: Given }[] = []
      for (const [what, each] of steps) {
        if (what === 'undo' || what === 'prune') {
          const gone = what === 'undo' ? model.pop() : model.shift()
          if (gone) memory.remove(gone.number)
          continue
        }
        const number =
          what === 'newest' ? (model.at(-1)?.number ?? 100n) + 1n : (model[0]?.number ?? 100n) - 1n
        memory.add(factsOf(number, each))
        if (what === 'newest') model.push({ number, given: each })
        else model.unshift({ number, given: each })
      }
      expect(memory.blocks.map(({ number }) => number)).toEqual(model.map(({ number }) => number))
      for (const payer of people) {
        for (const of of payees) {
          const expected = model
            .flatMap(({ number, given }) => given.paid.map((paid) => ({ ...paid, blockNumber: number })))
            .findLast((paid) => paid.payer === payer && paid.payee !== of && looksLike(paid.payee, of))
          const [from, to] = [bytesOf(payer), bytesOf(of)]
          const hash = paymentHash(from, 0, to, 0)
          const actual = memory.lookalikePaid(hash, { bytes: from, at: 0 }, { bytes: to, at: 0 })
          expect(actual && { ...actual, asset: undefined }).toEqual(
            expected && { ...expected, asset: undefined },
          )
          if (actual) found++
          expect(memory.holdsPayment(hash)).toBe(
            model.some(({ given }) =>
              given.paid.some((paid) => paid.payer === payer && looksLike(paid.payee, of)),
            ),
          )
        }
      }
      for (const key of ['a', 'b']) {
        const counts = (of: (given: Given) => readonly Counted[]) =>
          model.flatMap(({ number, given }) =>
            of(given)
              .filter((each) => each.key === key)
              .map((each) => [number, each.count]),
          )
        expect([...memory.failures(`${account(key)}0x00000000`)].sort()).toEqual(
          counts(({ failed }) => failed).sort(),
        )
        expect([...memory.repeats(key)].sort()).toEqual(counts(({ repeated }) => repeated).sort())
      }
    }),
    { numRuns: 300 },
  )
  expect(found).toBeGreaterThan(500)
})

test('of one payer and payees that look alike eight are kept a block, of a block the first 1024', () => {
  const [payer, payee] = [bytesOf(people[0]!), bytesOf(payees[0]!)]
  const same = collectPayments(50)
  for (let i = 0; i < 50; i++) {
    same.add(paymentHash(payer, 0, payee, 0), { bytes: payer, at: 0 }, { bytes: payee, at: 0 }, undefined, i)
  }
  expect(same.records.length / 61).toBe(8)
  const many = collectPayments(3_000)
  for (let i = 0; i < 3_000; i++) {
    const to = bytesOf(account(`payee ${i}`))
    many.add(paymentHash(payer, 0, to, 0), { bytes: payer, at: 0 }, { bytes: to, at: 0 }, undefined, 1)
  }
  expect([many.records.length / 61, [...many.hashes()].length]).toEqual([1_024, 1_024])
})
