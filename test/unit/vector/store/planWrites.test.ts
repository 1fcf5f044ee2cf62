import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type BlockPosition, type PatternProfile, type VectorEntry, VectorStoreError } from '#vector'
import { planWrites, type WritePlan } from '../../../../vector/store/planWrites.ts'
import { blockEntry, blockOf, chainId, patternOf, transactionOf } from '../support.ts'

describe('planWrites', () => {
  test('folds a run into one cut and one batch of rows per table', () => {
    const plan = planWrites(
      [
        blockEntry(1),
        blockEntry(2),
        { kind: 'patterns', boundary: 2n, upsert: [patternOf('a', 2), patternOf('b', 2)], remove: [] },
        {
          kind: 'undo',
          blocks: [blockOf(2)],
          patterns: { boundary: 1n, upsert: [patternOf('a', 1)], remove: [patternOf('b', 2).id] },
        },
        blockEntry(2, 1, 'b'),
        { kind: 'finalized', number: 1n },
        { kind: 'finalized', number: 0n },
      ],
      chainId,
    )
    expect(plan.addTransactions.map((row) => row.blockHash)).toEqual([
      ...Array.from({ length: 3 }, () => blockOf(1).hash),
      blockOf(2, 'b').hash,
    ])
    expect(plan.upsertPatterns).toEqual([patternOf('a', 1)])
    expect(plan.removePatterns).toEqual([patternOf('b', 2).id])
    expect(plan).toMatchObject({ lowest: 1n, tip: blockOf(2, 'b'), finalized: 1n })
  })

  test('the tip after an undo is the block before it, when the run holds it', () => {
    expect(
      planWrites([blockEntry(1), blockEntry(2), { kind: 'undo', blocks: [blockOf(2)] }], chainId).tip,
    ).toEqual(blockOf(1))
    expect(planWrites([blockEntry(2), { kind: 'undo', blocks: [blockOf(2)] }], chainId).tip).toBeUndefined()
  })

  test('rows go from the lowest block on that is applied or undone', () => {
    const undo = { kind: 'undo' as const, blocks: [blockOf(6), blockOf(5)] }
    expect(planWrites([undo, blockEntry(5, 1, 'b'), blockEntry(6, 1, 'b')], chainId).lowest).toBe(5n)
    expect(planWrites([blockEntry(7), undo], chainId).lowest).toBe(5n)
    expect(planWrites([{ kind: 'finalized', number: 1n }], chainId).lowest).toBeUndefined()
  })

  test('of one id given twice the later row wins', () => {
    const block = blockOf(1)
    const rows = [transactionOf(block, 0), transactionOf(block, 0, { outcome: 'failed' })]
    expect(planWrites([{ kind: 'transactions', block, rows }], chainId).addTransactions).toEqual([rows[1]])
  })

  test.each([
    ['another chain', { chainId: 5n }],
    ['a block hash that is SQL', { blockHash: "0x' OR '1'='1" }],
    ['an id that is not hex', { id: 'x' }],
    ['a value that is no number', { value: '0x1' }],
    ['a fractional gas limit', { gasLimit: 1.5 }],
  ])('refuses %s before anything is written', (_, changes) => {
    const block = blockOf(1)
    const entry = { kind: 'transactions' as const, block, rows: [transactionOf(block, 0, changes)] }
    expect(() => planWrites([entry], chainId)).toThrow(expect.objectContaining({ code: 'INVALID_ENTRY' }))
  })

  test('refuses hashes and pattern ids that are not hex, and counts that are no numbers', () => {
    const undo = { kind: 'undo' as const, blocks: [{ number: 1n, hash: "0x'); --" }] }
    expect(() => planWrites([undo], chainId)).toThrow(VectorStoreError)
    const remove = { kind: 'patterns' as const, boundary: 1n, upsert: [], remove: ["' OR TRUE"] }
    expect(() => planWrites([remove], chainId)).toThrow(VectorStoreError)
    const upsert = { ...remove, remove: [], upsert: [patternOf('a', 1, { gasLimit: Number.NaN })] }
    expect(() => planWrites([upsert], chainId)).toThrow(VectorStoreError)
  })
})

/** What a store holds, as plain as can be. */
type Held = {
  /** Ids of transactions and of findings, with their blocks. */
  readonly rows: ReadonlyMap<string, BlockPosition>
  readonly findings: ReadonlyMap<string, BlockPosition>
  readonly patterns: ReadonlyMap<string, PatternProfile>
  readonly finalized: bigint | undefined
}

const nothing: Held = {
  rows: new Map(),
  findings: new Map(),
  patterns: new Map(),
  finalized: undefined,
}
const below = (map: Held['rows'], number: bigint) =>
  new Map([...map].filter(([, block]) => block.number < number))
const newestOf = ({ rows }: Held) => [...rows.values()].sort((a, b) => Number(b.number - a.number))[0]
const cutFrom = (held: Held, number: bigint): Held => ({
  ...held,
  rows: below(held.rows, number),
  findings: below(held.findings, number),
})

/** One entry after the other, as the words on them say. */
function applyNaively(held: Held, entry: VectorEntry): Held {
  switch (entry.kind) {
    case 'transactions': {
      const kept = cutFrom(held, entry.block.number)
      const rows = new Map([...kept.rows, ...entry.rows.map(({ id }) => [id, entry.block] as const)])
      return { ...kept, rows }
    }
    case 'findings': {
      // Their ids are the plan's own, and the same for the same finding.
      const { upsertFindings } = planWrites([entry], chainId)
      const found = upsertFindings.map(({ id }) => [id, entry.block] as const)
      return { ...held, findings: new Map([...held.findings, ...found]) }
    }
    case 'patterns':
      return { ...held, patterns: changed(held.patterns, entry) }
    case 'undo': {
      const kept = entry.blocks.reduce((left, block) => cutFrom(left, block.number), held)
      return entry.patterns ? { ...kept, patterns: changed(kept.patterns, entry.patterns) } : kept
    }
    case 'finalized': {
      const isHigher = held.finalized === undefined || entry.number > held.finalized
      return isHigher ? { ...held, finalized: entry.number } : held
    }
  }
}

function changed(
  patterns: ReadonlyMap<string, PatternProfile>,
  { upsert, remove }: { readonly upsert: readonly PatternProfile[]; readonly remove: readonly string[] },
): ReadonlyMap<string, PatternProfile> {
  const left = [...patterns].filter(([id]) => !remove.includes(id))
  return new Map([...left, ...upsert.map((row) => [row.id, row] as const)])
}

/** Deletes first, then what is new. */
function carryOut(held: Held, plan: WritePlan): Held {
  const kept = plan.lowest === undefined ? held : cutFrom(held, plan.lowest)
  const blocks = [kept.finalized, plan.finalized].filter((each) => each !== undefined)
  const after: Held = {
    rows: new Map([
      ...kept.rows,
      ...plan.addTransactions.map(
        (row) => [row.id, { number: row.blockNumber, hash: row.blockHash }] as const,
      ),
    ]),
    findings: new Map([
      ...kept.findings,
      ...plan.upsertFindings.map(({ id, toBlock }) => [id, { number: toBlock, hash: '' }] as const),
    ]),
    patterns: changed(kept.patterns, { upsert: plan.upsertPatterns, remove: plan.removePatterns }),
    finalized: blocks.sort((a, b) => Number(b - a))[0],
  }
  expect(plan.tip ?? newestOf(kept)).toEqual(newestOf(after))
  return after
}

/** The same whatever the order things came in. */
const seen = ({ rows, findings, patterns, finalized }: Held) => ({
  rows: [...rows.keys()].sort(),
  findings: [...findings.keys()].sort(),
  patterns: [...patterns.values()].sort((a, b) => (a.id < b.id ? -1 : 1)),
  finalized,
})

const number = fc.integer({ min: 1, max: 6 })
const branch = fc.constantFrom('a', 'b', 'c')
const patternRows = fc.uniqueArray(fc.constantFrom('p', 'q', 'r'), { maxLength: 3 })
const entry: fc.Arbitrary<VectorEntry> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(number, branch, fc.integer({ min: 1, max: 2 })).map((of) => entryOf(...of)),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(number, branch).map(([at, of]) => ({
      kind: 'findings' as const,
      block: blockOf(at, of),
      rows: [{ name: 'storm', text: 'x', subjects: [], risk: 1 }],
    })),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.uniqueArray(number, { minLength: 1 }), branch).map(([numbers, of]) => ({
      kind: 'undo' as const,
      blocks: numbers.map((at) => blockOf(at, of)),
    })),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(number, patternRows, patternRows).map(([at, upsert, remove]) => ({
      kind: 'patterns' as const,
      boundary: BigInt(at),
      upsert: upsert.map((name) => patternOf(name, at)),
      remove: remove.filter((name) => !upsert.includes(name)).map((name) => patternOf(name, at).id),
    })),
  },
  { weight: 1, arbitrary: number.map((at) => ({ kind: 'finalized' as const, number: BigInt(at) })) },
)
const entryOf = (at: number, of: string, rows: number): VectorEntry => blockEntry(at, rows, of)

test('property: however entries are cut into runs, and runs repeated, the plans come to what the entries say one by one', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.array(entry, { minLength: 1, maxLength: 6 }), fc.boolean()), { maxLength: 6 }),
      (runs) => {
        const naive = runs.flatMap(([entries]) => entries).reduce(applyNaively, nothing)
        const planned = runs.reduce((held, [entries, isRepeated]) => {
          const plan = planWrites(entries, chainId)
          const once = carryOut(held, plan)
          // Nothing but the blocks is in order: a run may be repeated from its beginning alone.
          return isRepeated ? carryOut(once, plan) : once
        }, nothing)
        expect(seen(planned)).toEqual(seen(naive))
      },
    ),
    { numRuns: 2_000 },
  )
})
