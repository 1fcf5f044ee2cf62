import { describe, expect, test } from 'vitest'
import { VectorStoreError } from '#vector'
import { planWrites } from '../../../../vector/store/planWrites.ts'
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
