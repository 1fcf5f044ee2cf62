import { describe, expect, test } from 'vitest'
import type { FindingRow, VectorEntry } from '#vector'
import { addressOf, blockEntry, blockOf, everything, openIn, temporaryDirectory } from '../support.ts'

const now = { epochBlocks: 4, asyncConsolidation: false }
const storm: FindingRow = {
  name: 'failure-storm',
  text: 'Calls of one contract fail far more often than before.',
  subjects: [addressOf('contract 1')],
  risk: 60,
}
const findings = (number: number, branch = 'a', rows: readonly FindingRow[] = [storm]): VectorEntry => ({
  kind: 'findings',
  block: blockOf(number, branch),
  rows,
})
const blocks = (from: number, to: number, branch = 'a', changes = {}) =>
  Array.from({ length: to - from + 1 }, (_, index) => blockEntry(from + index, 3, branch, changes))

describe('memories', () => {
  test('an epoch is summed up once it is complete, with its patterns', async () => {
    await using directory = await temporaryDirectory()
    await using store = await openIn(directory.path, now)
    const target = addressOf('contract 1')
    await store.apply(blocks(1, 3, 'a', { to: target, outcome: 'failed' }))
    const before = await store.search({ ...everything, query: 'kind:memory' })
    // Block 3 is the last of the epoch of blocks 0 to 3.
    expect(before.items.map(({ facts }) => facts.memoryKind).sort()).toEqual(['epoch', 'pattern'])
    const [epoch] = before.items.filter(({ facts }) => facts.memoryKind === 'epoch')
    expect(epoch).toMatchObject({
      kind: 'memory',
      finality: 'head',
      asOf: '3',
      untrusted: false,
      provenance: { source: 'consolidation' },
      text: `9 transactions kept of blocks 0 to 3: 9 failed, 0 SVM envelopes; routes executeOnEvm 9; most called ${target} selector 0xa9059cbb transfer(address,uint256) 9 calls, 9 failed; most failing ${target} selector 0xa9059cbb transfer(address,uint256) 9 calls, 9 failed`,
    })
    expect(epoch?.citation).toMatch(/^memory [0-9a-f]{32} blocks 0 to 3$/)
    await store.apply(blocks(4, 6))
    expect((await store.search({ ...everything, query: 'kind:memory' })).items).toHaveLength(2)
    await store.apply([...blocks(7, 7), { kind: 'finalized', number: 3n }])
    const after = await store.search({ ...everything, query: 'kind:memory' })
    expect(after.items.filter(({ finality }) => finality === 'finalized')).toHaveLength(2)
    expect(after.items.length).toBeGreaterThan(2)
  })

  test('findings are remembered with their block, and go with it', async () => {
    await using directory = await temporaryDirectory()
    await using store = await openIn(directory.path, now)
    await store.apply([...blocks(1, 2), findings(2)])
    const found = await store.search({ ...everything, query: 'failure storm', limit: 1 })
    expect(found.items[0]).toMatchObject({
      kind: 'memory',
      text: `failure-storm in block 2, risk 60: ${storm.text}`,
      untrusted: true,
      facts: { name: 'failure-storm', risk: 60, subjects: storm.subjects[0] },
      provenance: { source: 'finding' },
    })
    const byBlock = await store.search({ ...everything, query: 'block:2' })
    expect(byBlock.items.filter(({ kind }) => kind === 'memory')).toHaveLength(1)
    // Given again it is there once; undone it is gone; on the new branch it is another.
    await store.apply([findings(2)])
    expect((await store.stats()).memories).toBe(1)
    await store.apply([{ kind: 'undo', blocks: [blockOf(2)] }, ...blocks(2, 2, 'b')])
    expect((await store.stats()).memories).toBe(0)
    await store.apply([findings(2, 'b', [storm, { ...storm, name: 'spam', risk: 5 }])])
    expect((await store.stats()).memories).toBe(2)
    await store.apply([findings(3), { kind: 'undo', blocks: [blockOf(3)] }])
    expect((await store.stats()).memories).toBe(2)
  })

  test('of blocks without stored rows they stay, over an undo of later blocks and a restart', async () => {
    await using directory = await temporaryDirectory()
    const store = await openIn(directory.path, now)
    await store.apply([blockEntry(1), findings(2), findings(3)])
    await store.apply([{ kind: 'undo', blocks: [blockOf(3)] }])
    await store.close()
    await using again = await openIn(directory.path, now)
    const found = await again.search({ ...everything, query: 'storm kind:memory' })
    expect(found.items.map(({ citation }) => citation.replace(/ [0-9a-f]{32} /, ' '))).toEqual([
      'memory block 2',
    ])
  })

  test.each([
    ['a name with blanks', { name: 'a b' }],
    ['a long text', { text: 'x'.repeat(2_001) }],
    ['a subject that is SQL', { subjects: ["0x' OR TRUE"] }],
    ['a risk above 100', { risk: 101 }],
  ])('%s is refused before anything is written', async (_, changes) => {
    await using directory = await temporaryDirectory()
    await using store = await openIn(directory.path)
    const bad = findings(1, 'a', [{ ...storm, ...changes }])
    await expect(store.apply([blockEntry(1), bad])).rejects.toThrow(
      expect.objectContaining({ code: 'INVALID_ENTRY' }),
    )
    expect((await store.stats()).transactions.rows).toBe(0)
  })

  test('beside the writes it comes to the same as within them, and is taken up where it was left', async () => {
    await using one = await temporaryDirectory()
    await using other = await temporaryDirectory()
    await using within = await openIn(one.path, now)
    await within.apply(blocks(1, 40))
    const expected = await within.search({ ...everything, query: 'kind:memory' })
    const first = await openIn(other.path, { epochBlocks: 4, consolidationRows: 1 })
    for (const entry of blocks(1, 25)) await first.apply([entry])
    await first.close()
    await using beside = await openIn(other.path, { epochBlocks: 4, consolidationRows: 1000 })
    await beside.apply(blocks(26, 40))
    while ((await beside.stats()).consolidatedTo !== 39n)
      await new Promise((resolve) => setTimeout(resolve, 20))
    expect((await beside.search({ ...everything, query: 'kind:memory' })).items).toEqual(expected.items)
  })
})
