import { describe, expect, test } from 'vitest'
import type { TransactionFields } from '../../../harness/feed/buildBlock.ts'
import { account } from './events.ts'
import { noticed } from './notice.ts'

const spammer = account('spammer')
const call: TransactionFields = { from: spammer, to: account('target'), input: '0x1249c58b', value: 0n }
const times = <T>(count: number, make: (i: number) => T) => Array.from({ length: count }, (_, i) => make(i))
const found = (...blocks: TransactionFields[][]) => noticed(blocks, 'spam')

describe('found', () => {
  test('ten equal calls in a block, with all its evidence', () => {
    const others = times(5, () => ({}))
    expect(found([...others, ...times(10, () => call)])).toMatchObject([
      {
        transactions: times(10, (i) => ({ index: 5 + i })),
        evidence: {
          ...{ form: 'repeat', sender: spammer, to: account('target'), selector: '0x1249c58b' },
          ...{ value: '0', inputBytes: 4, inBlock: 10, inWindow: 10, windowBlocks: 1 },
        },
      },
    ])
  })

  test('fewer a block, once the memory has ten', () => {
    const block = times(3, () => call)
    expect(found(block, block, block), 'nine').toEqual([])
    expect(found(block, block, block, block)).toMatchObject([
      { evidence: { inBlock: 3, inWindow: 12, windowBlocks: 4 } },
    ])
  })

  test('the same dust to many accounts', () => {
    const spray = (i: number) => ({ from: spammer, to: account(`${i}`), value: 5n })
    expect(found(times(12, spray))).toMatchObject([
      { evidence: { form: 'spray', to: null, value: '5', inBlock: 12 } },
    ])
  })
})

describe('not found', () => {
  test.each<[string, TransactionFields[]]>([
    ['nine calls', times(9, () => call)],
    ['ten of ten senders', times(10, (i) => ({ ...call, from: account(`${i}`) }))],
    ['ten that differ in a byte of calldata', times(10, (i) => ({ ...call, input: `0x1249c58b0${i}` }))],
    ['ten to ten targets', times(10, (i) => ({ ...call, to: account(`${i}`) }))],
    ['ten that are worth something', times(10, () => ({ ...call, value: 10n ** 15n + 1n }))],
    ['ten with much calldata', times(10, () => ({ ...call, input: `0x${'12'.repeat(197)}` }) as const)],
    ['ten contract creations', times(10, () => ({ ...call, to: null }))],
    [
      'pay-outs: other amounts to other accounts',
      times(40, (i) => ({ from: spammer, to: account(`${i}`), value: 10n ** 9n + BigInt(i) })),
    ],
    [
      'pay-outs of one sum to many',
      times(40, (i) => ({ from: spammer, to: account(`${i}`), value: 10n ** 14n + 1n })),
    ],
    [
      'the same dust to one account and another',
      times(12, (i) => ({ from: spammer, to: account(`${i % 2}`), value: 5n + BigInt(i) })),
    ],
  ])('%s', (_, transactions) => {
    expect(found(transactions)).toEqual([])
  })

  test('two a block, however long', () => {
    const block = times(2, () => call)
    expect(found(...times(20, () => block))).toEqual([])
  })

  test('what was before the memory', () => {
    const block = times(3, () => call)
    expect(found([], [], block)).toEqual([])
  })
})
