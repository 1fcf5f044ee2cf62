import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { ContextAnswer } from '#vector'
import { addressOf, blockEntry, blockOf, openIn, temporaryDirectory } from '../support.ts'

const fork = 3
const tip = 6
const branchNames = Array.from({ length: 16 }, (_, index) => `branch ${index} `)
const branchOf = new Map(
  branchNames.flatMap((name) =>
    Array.from({ length: tip }, (_, index) => [blockOf(index + 1, name).hash, name] as const),
  ),
)

/** Branches that rows and newest block of an answer are of, above the fork. */
function branchesIn({ items, asOf }: ContextAnswer): readonly string[] {
  const hashes = items
    .filter(({ facts }) => Number(facts.blockNumber) >= fork)
    .map(({ facts }) => String(facts.blockHash))
  if (asOf && Number(asOf.number) >= fork) hashes.push(asOf.hash)
  return [...new Set(hashes.map((hash) => branchOf.get(hash)!))]
}

test('an answer given while the chain changes its branch is of one branch, and none of it newer than it says', async () => {
  await using directory = await temporaryDirectory()
  await using store = await openIn(directory.path, { epochBlocks: 2 })
  await store.apply([1, 2].map((number) => blockEntry(number, 3, branchNames[0])))
  const answers: ContextAnswer[] = []
  const edges: number[] = []
  let isOver = false
  const keepAsking = async (query: string) => {
    while (!isOver) answers.push(await store.search({ query, limit: 100, tokens: 1_000_000 }))
  }
  const keepCounting = async () => {
    while (!isOver) {
      const found = await store.neighbours({ id: addressOf('contract 1'), kinds: ['calls'] })
      edges.push(found.edges.reduce((sum, { count }) => sum + count, 0))
    }
  }
  const asking = Promise.all([
    keepAsking('kind:transaction'),
    keepAsking(`transfers to:${addressOf('contract 1')}`),
    keepCounting(),
  ])
  let before: string | undefined
  for (const name of branchNames) {
    const numbers = [3, 4, 5, 6].slice(0, name.length % 2 === 0 ? 4 : 3)
    const undone = before === undefined ? [] : [6, 5, 4, 3].map((number) => blockOf(number, before))
    await store.apply([
      ...(undone.length > 0 ? [{ kind: 'undo' as const, blocks: undone }] : []),
      ...numbers.map((number) => blockEntry(number, 3, name)),
    ])
    before = name
    // Whoever asks has the turn, however busy the machine is.
    const asked = answers.length
    while (answers.length === asked) await delay(1)
  }
  isOver = true
  await asking
  expect(answers.map(branchesIn).filter((branches) => branches.length > 1)).toEqual([])
  for (const { items, asOf } of answers)
    for (const { facts } of items)
      expect(Number(facts.blockNumber ?? 0)).toBeLessThanOrEqual(Number(asOf!.number))
  // One call of the contract in every block, from two blocks on to six, and never those of two branches.
  expect(Math.max(...edges)).toBeLessThanOrEqual(tip)
  expect(Math.min(...edges)).toBeGreaterThanOrEqual(2)
})
