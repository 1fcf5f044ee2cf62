import fc from 'fast-check'
import type { TransactionRow, VectorEntry } from '#vector'
import { addressOf, blockOf, transactionOf } from '../support.ts'

/** What happens to a chain: a block on top, or the newest ones undone. */
export type Move =
  | { readonly type: 'block'; readonly rows: readonly RowSeed[] }
  | { readonly type: 'undo'; readonly depth: number }

type RowSeed = {
  readonly from: number
  readonly to: number
  readonly shape: 'transfer' | 'transferFrom' | 'mint' | 'call' | 'plain' | 'creation' | 'program' | 'deposit'
  readonly value: number
  readonly failed: boolean
}

const rowSeed: fc.Arbitrary<RowSeed> = fc.record({
  from: fc.integer({ min: 0, max: 4 }),
  to: fc.integer({ min: 0, max: 4 }),
  shape: fc.constantFrom(
    'transfer',
    'transferFrom',
    'mint',
    'call',
    'plain',
    'creation',
    'program',
    'deposit',
  ),
  value: fc.integer({ min: 0, max: 1000 }),
  failed: fc.boolean(),
})

export const moves: fc.Arbitrary<readonly Move[]> = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        type: fc.constant('block' as const),
        rows: fc.array(rowSeed, { minLength: 1, maxLength: 5 }),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ type: fc.constant('undo' as const), depth: fc.integer({ min: 1, max: 6 }) }),
    },
  ),
  { minLength: 1, maxLength: 30 },
)

/** The entries of every move, and those of a fresh run over what is canonical at the end. */
export function entriesOf(moves: readonly Move[]): {
  readonly steps: readonly (readonly VectorEntry[])[]
  readonly canonical: readonly VectorEntry[]
} {
  const chain: Extract<VectorEntry, { kind: 'transactions' }>[] = []
  const steps = moves.map((move, index): readonly VectorEntry[] => {
    if (move.type === 'block') {
      // The branch is the move's: no block comes twice.
      const block = blockOf(chain.length + 1, `m${index} `)
      const rows = move.rows.map((seed, place) => rowOf(seed, block, place))
      const entry = { kind: 'transactions' as const, block, rows }
      chain.push(entry)
      return [entry]
    }
    const undone = chain.splice(Math.max(0, chain.length - move.depth))
    return undone.length === 0 ? [] : [{ kind: 'undo', blocks: undone.map(({ block }) => block).reverse() }]
  })
  return { steps, canonical: chain }
}

const word = (address: string) => address.slice(2).padStart(64, '0')
const amount = `${'0'.repeat(48)}0de0b6b3a7640000`
export const programOf = (index: number) => `${index}`.repeat(64)

function rowOf(seed: RowSeed, block: { number: bigint; hash: string }, place: number): TransactionRow {
  const from = addressOf(`account ${seed.from}`)
  const contract = addressOf(`token ${seed.to}`)
  const other = addressOf(`account ${seed.to}`)
  const shared = {
    from,
    value: String(seed.value),
    outcome: seed.failed ? 'failed' : 'succeeded',
  }
  const call = (to: string, head: string): Partial<TransactionRow> => ({
    ...shared,
    to,
    selector: `0x${head.slice(0, 8)}`,
    calldataHead: head,
    calldataBytes: head.length / 2,
  })
  const changes: Readonly<Record<RowSeed['shape'], Partial<TransactionRow>>> = {
    transfer: call(contract, `a9059cbb${word(other)}${amount}`),
    transferFrom: call(contract, `23b872dd${word(other)}${word(addressOf('account 9'))}${amount}`),
    mint: call(contract, `40c10f19${word(other)}${amount}`),
    call: call(contract, `deadbeef${amount}`),
    plain: { ...shared, to: other, selector: '0x00000000', calldataHead: '', calldataBytes: 0 },
    creation: { ...call('', `60806040${amount}`) },
    program: {
      ...call(addressOf('router'), envelope(seed.to)),
      svm: true,
      outcome: seed.failed ? 'failed' : 'executed',
    },
    deposit: {
      ...call(addressOf('router'), `53564d81${programOf(seed.to)}`),
      svm: true,
      outcome: 'deposited',
    },
  }
  return transactionOf(block, place, changes[seed.shape])
}

/** A legacy transaction with one signature and three keys, the last of them the program called. */
export function envelope(program: number): string {
  const keys = [programOf(7), programOf(8), programOf(program)]
  return `53564d01${'00'.repeat(64)}010001${'03'}${keys.join('')}${'00'.repeat(32)}01020200010400000000`
}
