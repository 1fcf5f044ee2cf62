import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createTail, mostTailRows } from '../../../../vector/graph/createTail.ts'
import { incrementsOf, sumEdges, sumEntities } from '../../../../vector/graph/increments.ts'
import { readTransactions } from '../../../../vector/graph/readTransactions.ts'
import { storedTransaction } from '../../../../vector/rows/storedRows.ts'
import { openRowsInMemory } from '../openRowsInMemory.ts'
import { blockEntry, blockOf, placed } from '../support.ts'

/** Rows in memory, written as blocks are applied, of one branch after another. */
function openChain() {
  const rows = openRowsInMemory()
  const apply = (number: number, count: number, branch: string) =>
    rows.apply({
      ...{ from: BigInt(number), lowest: undefined, removePatterns: [], upsertPatterns: [] },
      transactions: placed(blockEntry(number, count, branch).rows).map(({ place, row }) => ({
        place,
        row: storedTransaction(row),
      })),
      reached: blockOf(number, branch),
    })
  return { rows, apply }
}

type Tail = ReturnType<typeof createTail>
type Chain = ReturnType<typeof openChain>

/** What a tail tells is what all rows of the blocks add. */
function check(tail: Tail, { rows }: Chain, after: bigint, asOf: bigint): void {
  const source = readTransactions(rows, after + 1n, asOf)
  const { edges, entities } = incrementsOf(source)
  const read = tail.read(after, asOf)
  const ids = new Set(['0xnobody', ...edges.flatMap((edge) => [edge.source, edge.target])])
  for (const id of ids) {
    const expected = edges.filter(({ source, target }) => source === id || target === id)
    expect(sumEdges(read!.edgesOf(id))).toEqual(sumEdges(expected))
    expect(sumEntities(read!.entitiesOf(id))).toEqual(entities.filter((entity) => entity.id === id))
  }
}

test('whatever comes, goes and is asked in between, it tells what the rows of the blocks add', () => {
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ apply: fc.integer({ min: 0, max: 5 }) }) },
    { weight: 1, arbitrary: fc.record({ undo: fc.integer({ min: 1, max: 6 }) }) },
    { weight: 1, arbitrary: fc.record({ epoch: fc.integer({ min: 0, max: 8 }) }) },
    { weight: 2, arbitrary: fc.record({ past: fc.integer({ min: 0, max: 9 }), from: fc.nat(9) }) },
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), fc.boolean(), (steps, keeps) => {
      const chain = openChain()
      const tail = createTail(chain.rows, keeps)
      let [number, epoch, branch] = [0, -1, 0]
      for (const each of steps) {
        if ('apply' in each) {
          number += 1
          chain.apply(number, each.apply, `branch ${branch}`)
        } else if ('undo' in each) {
          branch += 1
          number = Math.max(0, number - each.undo) + 1
          tail.cut(BigInt(number))
          chain.apply(number, 2, `branch ${branch}`)
          tail.cut(BigInt(number))
          epoch = Math.min(epoch, number - 1)
        } else if ('epoch' in each) epoch = Math.max(epoch, number - each.epoch)
        else {
          const asOf = Math.max(0, number - each.past)
          check(tail, chain, BigInt(Math.max(-1, asOf - each.from - 1)), BigInt(asOf))
        }
        check(tail, chain, BigInt(epoch), BigInt(number))
      }
      chain.rows.close()
    }),
    { numRuns: 150 },
  )
})

test('each block is read once, and of more than may be looked at nothing is told', () => {
  const chain = openChain()
  const read: (readonly [bigint, bigint])[] = []
  const between: typeof chain.rows.between = (first, last, columns) => {
    read.push([first, last])
    return chain.rows.between(first, last, columns)
  }
  const tail = createTail({ ...chain.rows, between }, true)
  for (let number = 1; number <= 3; number += 1) {
    chain.apply(number, 3, 'a')
    tail.read(-1n, BigInt(number))
    tail.read(-1n, BigInt(number))
  }
  // Nor is the past, where it is known.
  tail.read(0n, 2n)
  expect(read).toEqual([
    [0n, 1n],
    [2n, 2n],
    [3n, 3n],
  ])
  const half = mostTailRows / 2
  chain.apply(4, half, 'a')
  expect(tail.read(2n, 4n)).toBeDefined()
  chain.apply(5, half, 'a')
  expect(tail.read(2n, 5n)).toBeUndefined()
  expect(tail.read(4n, 5n)).toBeDefined()
  chain.rows.close()
})
