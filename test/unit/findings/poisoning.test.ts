import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { TransactionFields } from '../../../harness/feed/buildBlock.ts'
import { account, lookalikeOf, transfer } from './events.ts'
import { noticed } from './notice.ts'

const victim = account('victim')
const friend = account('friend')
const fake = lookalikeOf(friend)
const attacker = account('attacker')
const usdt = account('usdt')
const ether = 10n ** 18n

const pays = (from: `0x${string}`, to: `0x${string}`, value: bigint): TransactionFields => ({
  from,
  to,
  value,
})
/** A transfer called by the one whose tokens move. */
const sends = (from: `0x${string}`, to: `0x${string}`, value: bigint, token = usdt): TransactionFields => ({
  ...{ from, to: token, input: '0xa9059cbb' as const },
  logs: [transfer(token, from, to, value)],
})
/** Transfers in the name of others, by a contract of the attacker. */
const forges = (...logs: readonly ReturnType<typeof transfer>[]): TransactionFields => ({
  ...{ from: attacker, to: account('poisoner'), input: '0x12345678' as const, logs },
})
const found = (...blocks: TransactionFields[][]) => noticed(blocks, 'address-poisoning')
const casesOf = (...blocks: TransactionFields[][]) =>
  found(...blocks).flatMap(({ evidence }) => evidence.cases.map(({ form }) => form))

describe('found', () => {
  test('a transfer of nothing in the name of the victim, with all its evidence', () => {
    expect(
      found([sends(victim, friend, 1_000_000n)], [{}, forges(transfer(usdt, victim, fake, 0n))]),
    ).toMatchObject([
      {
        ...{ impact: 'high', transactions: [{ index: 1 }] },
        evidence: {
          count: 1,
          cases: [
            {
              ...{ form: 'zero-value', victim, lookalike: fake, counterparty: friend },
              ...{ counterpartyBlock: 1_001, asset: usdt, amount: '0' },
            },
          ],
        },
      },
    ])
  })

  test.each<[string, TransactionFields[], string]>([
    ['dust of the currency after a payment in a token', [pays(fake, victim, 10n ** 14n)], 'dust'],
    ['nothing of the currency', [pays(fake, victim, 0n)], 'zero-value'],
    ['dust of the same token', [sends(fake, victim, 9_000n)], 'dust'],
    ['a transfer of nothing from the lookalike', [forges(transfer(usdt, fake, victim, 0n))], 'zero-value'],
    [
      'a counterfeit token in the name of the victim',
      [forges(transfer(account('usdt!'), victim, fake, 1_000_000n))],
      'forged',
    ],
    ['the victim pays it, in the token', [sends(victim, fake, 1_000_000n)], 'paid'],
    ['the victim pays it, in the currency', [pays(victim, fake, ether)], 'paid'],
  ])('%s', (_, block, form) => {
    expect(casesOf([sends(victim, friend, 1_000_000n)], block)).toEqual([form])
  })

  test('dust of the currency after a payment in the currency', () => {
    expect(casesOf([pays(victim, friend, ether)], [pays(fake, victim, ether / 1_000n)])).toEqual(['dust'])
  })

  test('within the same block, after the payment', () => {
    const payment = sends(victim, friend, 1_000_000n)
    const poison = forges(transfer(usdt, victim, fake, 0n))
    expect(casesOf([payment, poison])).toEqual(['zero-value'])
    expect(casesOf([poison, payment]), 'before it').toEqual([])
  })

  test('many victims of one transaction are one finding; a loss among them comes first', () => {
    const victims = Array.from({ length: 20 }, (_, i) => account(`victim ${i}`))
    const payments = victims.map((each) => sends(each, friend, 1_000_000n))
    const logs = victims.map((each) => transfer(usdt, each, fake, 0n))
    const [finding, ...others] = found(payments, [forges(...logs)])
    expect(others).toEqual([])
    expect(finding!.evidence.count).toBe(20)
    expect(finding!.evidence.cases).toHaveLength(8)
    const loss = found(
      [sends(victim, friend, 100n), sends(victims[0]!, friend, 100n)],
      [
        {
          ...sends(victim, fake, 100n),
          logs: [transfer(usdt, victims[0]!, fake, 0n), transfer(usdt, victim, fake, 100n)],
        },
      ],
    )
    expect(loss).toMatchObject([
      { impact: 'critical', evidence: { cases: [{ form: 'paid' }, { form: 'zero-value' }] } },
    ])
  })

  test('whoever looks like whomever: shared are the first three and the last four digits', () => {
    const name = fc.string({ minLength: 1 })
    fc.assert(
      fc.property(name, name, name, fc.boolean(), (who, whom, salt, isToken) => {
        const [payer, payee] = [account(`payer ${who}`), account(`payee ${whom}`)]
        const other = lookalikeOf(payee, salt)
        const payment = isToken ? sends(payer, payee, 1_000_000n) : pays(payer, payee, ether)
        expect(casesOf([payment], [forges(transfer(usdt, payer, other, 0n))])).toEqual(['zero-value'])
      }),
    )
  })
})

describe('not found', () => {
  const payment = sends(victim, friend, 1_000_000n)
  const digits = (address: string, at: number) => {
    const other = address[at] === '0' ? '1' : '0'
    return `${address.slice(0, at)}${other}${address.slice(at + 1)}` as `0x${string}`
  }
  test.each<[string, TransactionFields[]]>([
    ['the counterparty itself, for nothing', [forges(transfer(usdt, victim, friend, 0n))]],
    ['dust of the counterparty itself', [pays(friend, victim, 1n)]],
    ['the first digit differs', [forges(transfer(usdt, victim, digits(fake, 2), 0n))]],
    ['the third digit differs', [forges(transfer(usdt, victim, digits(fake, 4), 0n))]],
    ['the fourth to last digit differs', [forges(transfer(usdt, victim, digits(fake, 38), 0n))]],
    ['the last digit differs', [forges(transfer(usdt, victim, digits(fake, 41), 0n))]],
    ['the lookalike pays real money', [sends(fake, victim, 500_000n)]],
    ['the lookalike pays real money of the currency', [pays(fake, victim, ether)]],
    ['a little of another token', [sends(fake, victim, 9_000n, account('dai'))]],
    ['another victim', [forges(transfer(usdt, account('nobody'), fake, 0n))]],
    ['a plain payment that failed', [{ ...pays(victim, fake, ether), status: 'failed' }]],
    ['a swap of the victim, which pays a pool', [{ ...sends(victim, fake, 5n), to: account('router') }]],
  ])('%s', (_, block) => {
    expect(found([payment], block)).toEqual([])
  })

  test('the fourth digit may differ, and the fifth to last', () => {
    for (const at of [5, 37]) {
      expect(casesOf([payment], [forges(transfer(usdt, victim, digits(fake, at), 0n))])).toEqual([
        'zero-value',
      ])
    }
  })

  test('a payment to a lookalike makes it no counterparty', () => {
    const second = lookalikeOf(friend, 'second')
    const cases = found([payment], [sends(victim, fake, 5n)], [forges(transfer(usdt, victim, second, 0n))])
    expect(cases).toMatchObject([{ evidence: { cases: [{ counterparty: friend }] } }])
  })

  test('what a token moves beside a payment, its fee, is no payment', () => {
    const collector = account('collector')
    const logs = [transfer(usdt, victim, friend, 1_000n), transfer(usdt, victim, collector, 10n)]
    const taxed = { ...sends(victim, friend, 1_000n), logs }
    expect(casesOf([taxed], [forges(transfer(usdt, victim, fake, 0n))])).toEqual(['zero-value'])
    // Others in the block: there is room for more payments.
    const block = [taxed, {}, {}]
    expect(found(block, [forges(transfer(usdt, victim, lookalikeOf(collector), 0n))])).toEqual([])
  })

  test('who pays many a block is a service, and copies from no history', () => {
    const payouts = Array.from({ length: 5 }, (_, i) => pays(victim, account(`${i}`), ether))
    const poison = pays(lookalikeOf(account('0')), victim, 1n)
    expect(found(payouts, [poison])).toEqual([])
    expect(found(payouts.slice(0, 4), [poison]), 'four are a person').toHaveLength(1)
  })

  test('what somebody received, or what another contract moved, is no payment of theirs', () => {
    expect(found([pays(friend, victim, ether)], [pays(fake, victim, 1n)])).toEqual([])
    expect(found([forges(transfer(usdt, victim, friend, 5n))], [pays(fake, victim, 1n)])).toEqual([])
  })
})
