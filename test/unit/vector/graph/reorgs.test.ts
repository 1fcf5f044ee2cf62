import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { VectorEntry, VectorStore } from '#vector'
import {
  addressOf,
  blockEntry,
  blockOf,
  everything,
  indexRows,
  openIn,
  temporaryDirectory,
  transactionOf,
} from '../support.ts'
import { entriesOf, moves, programOf } from './chainMoves.ts'

const options = { epochBlocks: 3, consolidationRows: 4, asyncConsolidation: false }

const ids = [
  ...[0, 1, 9].map((index) => addressOf(`account ${index}`)),
  ...[0, 3].map((index) => addressOf(`token ${index}`)),
  ...[2, 3].map((index) => `0x${programOf(index)}`),
]

/** What people see of the graph and of memories. */
async function answers(store: VectorStore) {
  const neighbours = []
  for (const id of ids) neighbours.push(await store.neighbours({ id, hops: 2, fanout: 32 }))
  const memories = await store.search({ ...everything, query: 'kind:memory' })
  return { neighbours, memories: memories.items.map((item) => [item.citation, item.text, item.finality]) }
}

const range = (from: number, to: number, changes = {}) =>
  Array.from({ length: to - from + 1 }, (_, index) => blockEntry(from + index, 3, 'a', changes))

async function fresh(canonical: readonly VectorEntry[]) {
  await using directory = await temporaryDirectory()
  await using store = await openIn(directory.path, options)
  await store.apply(canonical)
  const seen = await answers(store)
  await store.close()
  return { seen, rows: indexRows(directory.path) }
}

describe('the graph and memories follow the chain', () => {
  test('epochs of another length after a restart count nothing twice, though one table was behind', async () => {
    await using directory = await temporaryDirectory()
    const plain = { to: addressOf('payee'), calldataBytes: 0, calldataHead: '', selector: '0x00000000' }
    const first = await openIn(directory.path, { epochBlocks: 5, asyncConsolidation: false })
    // Plain transfers call no one: of the second epoch the table of entities has no row.
    await first.apply([...range(1, 4), ...range(5, 9, plain)])
    await first.close()
    await using store = await openIn(directory.path, { epochBlocks: 20, asyncConsolidation: false })
    await store.apply(range(10, 19, plain))
    expect((await store.stats()).consolidatedTo).toBe(19n)
    const { edges } = await store.neighbours({ id: plain.to, fanout: 32 })
    expect(edges.map(({ count }) => count)).toEqual([15, 15, 15])
  })

  test('what was counted for an answer goes with its blocks', async () => {
    await using directory = await temporaryDirectory()
    // No epoch is ever complete: every answer is counted from blocks, and the blocks are kept for the next one.
    await using store = await openIn(directory.path, { epochBlocks: 1_000 })
    const before = addressOf('called before')
    const after = addressOf('called after')
    const block = (number: number, branch: string, to: string) => ({
      ...blockEntry(number, 0),
      block: blockOf(number, branch),
      rows: [transactionOf(blockOf(number, branch), 0, { to })],
    })
    const calls = async (id: string) =>
      (await store.neighbours({ id, kinds: ['calls'] })).edges.map(({ count, lastBlock }) => ({
        count,
        lastBlock,
      }))
    await store.apply([block(1, 'a', before), block(2, 'a', before)])
    expect(await calls(before)).toEqual([{ count: 2, lastBlock: 2 }])
    await store.apply([{ kind: 'undo', blocks: [blockOf(2, 'a')] }, block(2, 'b', after)])
    expect(await calls(before)).toEqual([{ count: 1, lastBlock: 1 }])
    expect(await calls(after)).toEqual([{ count: 1, lastBlock: 2 }])
    await store.apply([block(3, 'b', after)])
    expect(await calls(after)).toEqual([{ count: 2, lastBlock: 3 }])
  })

  test('property: after any blocks and undos they are those of a fresh run over the canonical chain', async () => {
    await fc.assert(
      fc.asyncProperty(moves, fc.integer({ min: 1, max: 7 }), async (moves, perCall) => {
        const { steps, canonical } = entriesOf(moves)
        const expected = await fresh(canonical)
        await using directory = await temporaryDirectory()
        const store = await openIn(directory.path, options)
        for (let at = 0; at < steps.length; at += perCall)
          await store.apply(steps.slice(at, at + perCall).flat())
        expect(await answers(store)).toEqual(expected.seen)
        await store.close()
        expect(indexRows(directory.path)).toEqual(expected.rows)
      }),
      { numRuns: 8 },
    )
  }, 300_000)

  test('property: however far epochs are taken in, and opened again in between, the answers are the same', async () => {
    await fc.assert(
      fc.asyncProperty(moves, async (moves) => {
        const { steps, canonical } = entriesOf(moves)
        await using directory = await temporaryDirectory()
        // Nothing is ever complete: everything comes from the transactions themselves.
        await using whole = await openIn(directory.path, { epochBlocks: 1_000 })
        await whole.apply(canonical)
        const expected = (await answers(whole)).neighbours
        await using other = await temporaryDirectory()
        const half = Math.floor(steps.length / 2)
        const first = await openIn(other.path, { ...options, asyncConsolidation: true })
        for (const step of steps.slice(0, half)) await first.apply(step)
        await first.close()
        const second = await openIn(other.path, {
          epochBlocks: 5,
          consolidationRows: 1,
          asyncConsolidation: true,
        })
        for (const step of steps.slice(half)) await second.apply(step)
        expect((await answers(second)).neighbours).toEqual(expected)
        await using reader = await openIn(other.path, { readOnly: true })
        expect((await answers(reader)).neighbours).toEqual(expected)
        await second.close()
      }),
      { numRuns: 6 },
    )
  }, 300_000)
})
