import { describe, expect, test } from 'vitest'
import type { TransactionFields } from '../../../harness/feed/buildBlock.ts'
import { account } from './events.ts'
import { noticed } from './notice.ts'

const to = account('mint')
const input = '0xa0712d68'
const times = <T>(count: number, make: (i: number) => T) => Array.from({ length: count }, (_, i) => make(i))
const fails = (count: number) => times(count, (): TransactionFields => ({ to, input, status: 'failed' }))
const succeeds = (count: number) => times(count, (): TransactionFields => ({ to, input }))
const found = (...blocks: TransactionFields[][]) => noticed(blocks, 'failure-storm')

describe('found', () => {
  test('a burst out of nothing, with all its evidence', () => {
    expect(found([{}], [{}, ...fails(10), ...succeeds(2)])).toMatchObject([
      {
        impact: 'high',
        transactions: times(10, (i) => ({ index: 1 + i })),
        evidence: { to, selector: input, failed: 10, calls: 12, inBurst: 10, expected: 0, burstBlocks: 4 },
      },
    ])
  })

  test('one that is spread over the last four blocks', () => {
    expect(found(fails(3), fails(3), fails(1)), 'seven').toEqual([])
    expect(found(fails(3), fails(3), fails(1), fails(3))).toMatchObject([
      { evidence: { failed: 3, inBurst: 10 } },
    ])
  })

  test('five times what is usual', () => {
    const usual = times(30, () => fails(2))
    expect(found(...usual, fails(33)), 'a little less: 39 of 40').toEqual([])
    expect(found(...usual, fails(34))).toMatchObject([{ evidence: { inBurst: 40, expected: 8 } }])
  })

  test('what was usual is forgotten: half of it in eleven blocks', () => {
    const longAgo = [...times(30, () => fails(8)), ...times(32, () => [{}])]
    expect(found(...longAgo, fails(33))).toHaveLength(1)
    expect(found(...times(30, () => fails(8)), fails(33))).toEqual([])
  })
})

describe('not found', () => {
  test.each<[string, TransactionFields[]]>([
    ['nine failures', fails(9)],
    [
      'failures of as many contracts',
      times(20, (i) => ({ to: account(`${i}`), input, status: 'failed' as const })),
    ],
    [
      'failures of other selectors',
      times(10, (i) => ({ to, input: `0x0000000${i}`, status: 'failed' as const })),
    ],
    ['ten in fifty calls', [...fails(10), ...succeeds(40)]],
    ['ten whose outcome is not known', times(20, () => ({ to, input, status: 'unknown' as const }))],
    ['contract creations', times(20, () => ({ to: null, input, status: 'failed' as const }))],
  ])('%s', (_, transactions) => {
    expect(found(transactions)).toEqual([])
  })

  test('two in the last block, though there were more before', () => {
    expect(found(fails(9), fails(2))).toEqual([])
  })

  test('failures five blocks ago', () => {
    expect(found(fails(9), [{}], [{}], [{}], fails(3))).toEqual([])
  })
})
