import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { incrementsOf, sumEdges, sumEntities } from '../../../../vector/graph/increments.ts'
import { readEnvelope } from '../../../../vector/graph/readEnvelope.ts'
import { type LinkSource, readLinks } from '../../../../vector/graph/readLinks.ts'
import { addressOf } from '../support.ts'
import { entriesOf, envelope, moves, programOf } from './chainMoves.ts'

const word = (address: string) => address.slice(2).padStart(64, '0')
const amount = '1'.padStart(64, '0')
const [alice, bob, token, carol] = ['alice', 'bob', 'token', 'carol'].map(addressOf) as [
  string,
  string,
  string,
  string,
]
const base: LinkSource = {
  blockNumber: 5n,
  transactionIndex: 2,
  transactionHash: `0x${'ab'.repeat(32)}`,
  from: alice,
  to: token,
  selector: '0xdeadbeef',
  value: 7n,
  calldataBytes: 100,
  calldataHead: 'deadbeef',
  svm: false,
  outcome: 'succeeded',
}
const linksOf = (changes: Partial<LinkSource>) =>
  readLinks({ ...base, ...changes }).map(({ kind, source, target, token, targetKind }) => [
    kind,
    source,
    target,
    token,
    targetKind,
  ])

describe('readLinks', () => {
  test('a call, a plain transfer, a creation', () => {
    expect(linksOf({})).toEqual([['calls', alice, token, '', 'contract']])
    expect(linksOf({ calldataBytes: 0, calldataHead: '' })).toEqual([
      ['transfers', alice, token, '', undefined],
    ])
    expect(linksOf({ to: '' })).toEqual([['deploys', alice, base.transactionHash, '', 'contract']])
  })

  test('a token is told by its calls, and who gets it by the arguments', () => {
    const transfer = { selector: '0xa9059cbb', calldataHead: `a9059cbb${word(bob)}${amount}` }
    expect(linksOf(transfer)).toEqual([
      ['calls', alice, token, '', 'token'],
      ['transfers', alice, bob, token, undefined],
      ['owns', bob, token, '', undefined],
    ])
    const between = { selector: '0x23b872dd', calldataHead: `23b872dd${word(bob)}${word(carol)}${amount}` }
    expect(linksOf(between).slice(1)).toEqual([
      ['transfers', bob, carol, token, undefined],
      ['owns', carol, token, '', undefined],
    ])
    const mint = { selector: '0x40c10f19', calldataHead: `40c10f19${word(bob)}${amount}` }
    expect(linksOf(mint).slice(1)).toEqual([['owns', bob, token, '', undefined]])
  })

  test.each([
    ['failed', { outcome: 'failed' }],
    ['cut off', { calldataHead: `a9059cbb${word(bob).slice(0, 40)}` }],
    ['no address', { calldataHead: `a9059cbb${'f'.repeat(64)}${amount}` }],
    ['burnt', { calldataHead: `a9059cbb${'0'.repeat(64)}${amount}` }],
  ])('a transfer that is %s moves nothing', (_, changes) => {
    const transfer = { selector: '0xa9059cbb', calldataHead: `a9059cbb${word(bob)}${amount}` }
    expect(linksOf({ ...transfer, ...changes })).toEqual([['calls', alice, token, '', 'token']])
  })

  test('an envelope calls programs, a deposit moves to an account, what cannot be read calls the router', () => {
    expect(linksOf({ svm: true, calldataHead: envelope(3) })).toEqual([
      ['calls', alice, `0x${programOf(3)}`, '', 'program'],
    ])
    expect(linksOf({ svm: true, calldataHead: `53564d81${programOf(4)}` })).toEqual([
      ['transfers', alice, `0x${programOf(4)}`, '', undefined],
    ])
    expect(linksOf({ svm: true, calldataHead: '53564d7b7d' })).toEqual([
      ['calls', alice, token, '', 'contract'],
    ])
  })
})

describe('readEnvelope', () => {
  const body = envelope(3).slice(6)
  const message = body.slice(2 + 128)

  test('reads legacy and versioned messages, batches, and several instructions', () => {
    const expected = { kind: 'transaction', programs: [`0x${programOf(3)}`] }
    expect(readEnvelope(envelope(3))).toEqual(expected)
    expect(readEnvelope(`53564d01${'00'.repeat(64)}80${message}`)).toEqual(expected)
    expect(readEnvelope(`53564d8002c801${body}`)).toEqual(expected)
    const two = envelope(3).replace('01020200010400000000', '02020200010400000000010000')
    expect(readEnvelope(two)).toEqual({
      kind: 'transaction',
      programs: [`0x${programOf(3)}`, `0x${programOf(8)}`],
    })
  })

  test('property: any bytes are read or not, and programs are keys of the message', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 600 }),
        fc.constantFrom('', '01', '80', '8001', '81'),
        (bytes, first) => {
          const head = `53564d${first}${Buffer.from(bytes).toString('hex')}`
          const read = readEnvelope(head)
          if (read?.kind === 'transaction')
            for (const program of read.programs) expect(head).toContain(program.slice(2))
        },
      ),
      { numRuns: 2_000 },
    )
  })
})

test('property: transactions in any order and any parts add up to the same', () => {
  const whole = (sources: readonly LinkSource[]) => incrementsOf(sources)
  fc.assert(
    fc.property(moves, fc.array(fc.nat({ max: 5 })), fc.integer(), (moves, cuts, seed) => {
      const rows = entriesOf(moves).canonical.flatMap((entry) =>
        entry.kind === 'transactions' ? entry.rows : [],
      )
      const sources = rows.map((row): LinkSource => ({ ...row, value: BigInt(row.value) }))
      const shuffled = sources.toSorted((a, b) => hash(a, seed) - hash(b, seed))
      const parts = Map.groupBy(shuffled, (_, index) => cuts[index % (cuts.length || 1)] ?? 0)
      const increments = [...parts.values()].map(whole)
      expect(sumEdges(increments.flatMap(({ edges }) => edges))).toEqual(sumEdges(whole(sources).edges))
      expect(sumEntities(increments.flatMap(({ entities }) => entities))).toEqual(
        sumEntities(whole(sources).entities),
      )
    }),
    { numRuns: 200 },
  )
})

function hash({ transactionHash }: LinkSource, seed: number): number {
  return (Number.parseInt(transactionHash.slice(2, 10), 16) ^ seed) >>> 0
}
