import { describe, expect, test } from 'vitest'
import { QueryError } from '#vector'
import { addressOf, blockOf, openIn, patternOf, temporaryDirectory, transactionOf } from '../support.ts'

const [alice, bob, carol, token, router] = ['alice', 'bob', 'carol', 'token', 'router'].map(addressOf) as [
  string,
  string,
  string,
  string,
  string,
]
const word = (address: string) => address.slice(2).padStart(64, '0')
const transfer = (from: string, to: string) => ({
  from,
  to: token,
  selector: '0xa9059cbb',
  calldataHead: `a9059cbb${word(to)}${'1'.padStart(64, '0')}`,
  calldataBytes: 68,
  outcome: 'succeeded',
})
const call = (from: string, outcome = 'succeeded') => ({
  from,
  to: router,
  selector: '0xdeadbeef',
  calldataHead: 'deadbeef',
  calldataBytes: 36,
  value: '5',
  outcome,
})

function block(number: number, ...rows: readonly Parameters<typeof transactionOf>[2][]) {
  const position = blockOf(number)
  return {
    kind: 'transactions' as const,
    block: position,
    rows: rows.map((row, index) => transactionOf(position, index, row)),
  }
}
const chain = [
  block(1, transfer(alice, bob), call(alice)),
  block(2, transfer(alice, bob), call(alice, 'failed')),
  block(3, call(bob), { ...call(carol), to: '', selector: '0x60806040' }),
  block(4, {
    from: carol,
    to: alice,
    selector: '0x00000000',
    calldataBytes: 0,
    calldataHead: '',
    value: '900',
  }),
]

describe('neighbours', () => {
  test('counts, blocks, value, finality and citation of every edge', async () => {
    await using directory = await temporaryDirectory()
    await using store = await openIn(directory.path, { epochBlocks: 2, asyncConsolidation: false })
    await store.apply([...chain, { kind: 'finalized', number: 2n }])
    const { nodes, edges, truncated, asOf } = await store.neighbours({
      id: alice.toUpperCase().replace('0X', '0x'),
    })
    expect(asOf).toEqual({ number: '4', hash: blockOf(4).hash })
    expect(truncated).toBe(false)
    expect(nodes).toEqual(
      [
        { id: alice, kind: 'account', hop: 0, name: undefined },
        { id: token, kind: 'token', hop: 1, name: undefined },
        { id: router, kind: 'contract', hop: 1, name: undefined },
        { id: bob, kind: 'account', hop: 1, name: undefined },
        { id: carol, kind: 'account', hop: 1, name: undefined },
      ].sort((a, b) => nodes.findIndex(({ id }) => id === a.id) - nodes.findIndex(({ id }) => id === b.id)),
    )
    const cite = (number: number, index: number) =>
      `tx ${chain[number - 1]!.rows[index]!.transactionHash} block ${number}`
    const shared = { token: undefined, similarity: undefined, failed: 0, value: '0' }
    expect(edges.toSorted((a, b) => (a.kind + a.target < b.kind + b.target ? -1 : 1))).toEqual(
      [
        {
          ...shared,
          kind: 'calls',
          source: alice,
          target: token,
          count: 2,
          firstBlock: 1,
          lastBlock: 2,
          finality: 'finalized',
          citation: cite(2, 0),
        },
        {
          ...shared,
          kind: 'calls',
          source: alice,
          target: router,
          count: 2,
          failed: 1,
          value: '5',
          firstBlock: 1,
          lastBlock: 2,
          finality: 'finalized',
          citation: cite(2, 1),
        },
        {
          ...shared,
          kind: 'transfers',
          source: alice,
          target: bob,
          token,
          count: 2,
          firstBlock: 1,
          lastBlock: 2,
          finality: 'finalized',
          citation: cite(2, 0),
        },
        {
          ...shared,
          kind: 'transfers',
          source: carol,
          target: alice,
          count: 1,
          value: '900',
          firstBlock: 4,
          lastBlock: 4,
          finality: 'head',
          citation: cite(4, 0),
        },
      ].sort((a, b) => (a.kind + a.target < b.kind + b.target ? -1 : 1)),
    )
  })

  test('goes as many edges away as asked, of the kinds asked', async () => {
    await using directory = await temporaryDirectory()
    await using store = await openIn(directory.path)
    await store.apply(chain)
    const reached = async (hops: number, kinds?: readonly ('calls' | 'deploys' | 'owns')[]) =>
      (await store.neighbours({ id: carol, hops, kinds })).nodes.map(({ id, hop }) => `${hop} ${id}`)
    const created = chain[2]!.rows[1]!.transactionHash
    expect(new Set(await reached(1))).toEqual(new Set([`0 ${carol}`, `1 ${created}`, `1 ${alice}`]))
    expect(await reached(2)).toContain(`2 ${router}`)
    expect(await reached(3)).toEqual(await reached(2))
    expect(new Set(await reached(3, ['deploys']))).toEqual(new Set([`0 ${carol}`, `1 ${created}`]))
    const { nodes } = await store.neighbours({ id: created })
    expect(nodes[0]).toMatchObject({ id: created, kind: 'contract' })
  })

  test('a hub is cut to the edges counted most, and says so', async () => {
    await using directory = await temporaryDirectory()
    await using store = await openIn(directory.path)
    const callers = Array.from({ length: 40 }, (_, index) => addressOf(`caller ${index}`))
    await store.apply([
      block(1, ...callers.map((from) => call(from))),
      block(2, call(callers[7]!), call(callers[9]!)),
    ])
    const { nodes, edges, truncated } = await store.neighbours({ id: router, hops: 3, fanout: 2 })
    expect(truncated).toBe(true)
    expect(
      nodes
        .slice(1)
        .map(({ id }) => id)
        .sort(),
    ).toEqual([callers[7], callers[9]].sort())
    expect(edges.map(({ count }) => count)).toEqual([2, 2])
  })

  test('as of an older block it is what it was then', async () => {
    await using directory = await temporaryDirectory()
    await using other = await temporaryDirectory()
    await using store = await openIn(directory.path, { epochBlocks: 2, asyncConsolidation: false })
    await store.apply(chain)
    for (const number of [1, 2, 3]) {
      await using then = await openIn(`${other.path}/${number}`)
      await then.apply(chain.slice(0, number))
      const expected = await then.neighbours({ id: alice, hops: 2 })
      const seen = await store.neighbours({ id: alice, hops: 2, asOf: BigInt(number) })
      expect(seen.edges, `block ${number}`).toEqual(expected.edges)
      expect(seen.asOf?.number).toBe(`${number}`)
      expect(seen.warnings).toEqual([expect.stringContaining('patterns are kept as they are now')])
    }
  })

  test('a contract owns its patterns, and patterns have others like them', async () => {
    await using directory = await temporaryDirectory()
    await using store = await openIn(directory.path)
    const own = `${router.slice(2)}deadbeef00`
    const alike = `${router.slice(2)}deadbeef01`
    const other = `${addressOf('elsewhere').slice(2)}0000000100`
    const upsert = [own, other].map((id) => patternOf('x', 3, { id }))
    await store.apply([
      ...chain,
      {
        kind: 'patterns',
        boundary: 3n,
        upsert: [...upsert, patternOf('y', 3, { id: alike, gasLimit: 9_000_000 })],
        remove: [],
      },
    ])
    const around = await store.neighbours({ id: router, kinds: ['owns'] })
    expect(around.edges.map(({ kind, target, citation }) => [kind, target, citation])).toEqual(
      [own, alike].map((id) => ['owns', id, `pattern 0x${id} as of block 3`]),
    )
    const pattern = await store.neighbours({ id: own })
    expect(pattern.edges.map(({ kind, source, target }) => [kind, source, target])).toEqual([
      ['owns', router, own],
      ['similar', own, alike],
    ])
    expect(pattern.edges[1]?.similarity).toBeGreaterThan(0.5)
    expect(pattern.nodes.map(({ kind }) => kind)).toEqual(['pattern', 'contract', 'pattern'])
  })

  test('nobody knows it: nothing, and no failure; what is no id is refused', async () => {
    await using directory = await temporaryDirectory()
    await using store = await openIn(directory.path)
    expect(await store.neighbours({ id: alice })).toEqual({
      id: alice,
      asOf: undefined,
      nodes: [],
      edges: [],
      truncated: false,
      warnings: [],
    })
    await store.apply(chain)
    expect(await store.neighbours({ id: addressOf('stranger') })).toMatchObject({ nodes: [], edges: [] })
    for (const request of [
      { id: "0x' OR TRUE" },
      { id: '0x12' },
      { id: alice, hops: 4 },
      { id: alice, fanout: 0 },
      { id: alice, kinds: [] },
      { id: alice, kinds: ['eats' as never] },
    ])
      await expect(store.neighbours(request)).rejects.toThrow(QueryError)
  })
})
