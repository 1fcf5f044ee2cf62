import fc from 'fast-check'
import { expect, test } from 'vitest'
import { repeatedSenders } from '../../../sidecar/findings/rows.ts'
import { blockOf } from './events.ts'

test('rows go by sender, also where senders share the bytes they are told apart by first', () => {
  // Many share their first four bytes, or those less or more one.
  const sender = fc
    .tuple(fc.constantFrom('00000000', '00000001', 'ffffffff', '7fffffff', '80000000'), fc.nat(3))
    .map(([head, tail]) => `0x${head}${'00'.repeat(15)}0${tail}` as const)
  fc.assert(
    fc.property(fc.array(sender, { maxLength: 40 }), (senders) => {
      const { transactions } = blockOf(senders.map((from) => ({ from })))
      const groups = [...Map.groupBy(senders.keys(), (row) => senders[row]!).values()]
      const expected = groups.filter((rows) => rows.length > 1).sort((a, b) => a[1]! - b[1]!)
      expect(repeatedSenders(transactions)).toEqual(expected)
    }),
  )
})
