import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { arrange } from '../../../../vector/query/arrange.ts'
import { diversify, likenessOf } from '../../../../vector/query/diversify.ts'
import type { Found, RankedList } from '../../../../vector/query/found.ts'
import { type Ranked, rank } from '../../../../vector/query/rank.ts'

const context = {
  meant: { contracts: [], selectors: [], share: 0 },
  newest: 100n,
  finalized: 50n,
}

const found = (id: string, changes: Partial<Found> = {}): Found => ({
  table: 'transactions',
  id,
  match: 'near',
  writtenAt: 10n,
  content: { row: {} },
  ...changes,
})
const list = (leg: RankedList['leg'], ...rows: readonly Found[]): RankedList => ({ leg, found: rows })
const idsOf = (ranked: readonly Ranked[]) => ranked.map(({ found }) => found.id)

describe('rank', () => {
  test('what two lists agree on is above what one has first', () => {
    const vector = list('vector', found('a'), found('b'))
    const text = list('text', found('c'), found('b'))
    expect(idsOf(rank([vector, text], context))[0]).toBe('b')
  })

  test('one row keeps the best that any list knows of it', () => {
    const [row] = rank(
      [
        list('vector', found('a', { distance: 0.4 })),
        list('text', found('a', { match: 'words', bm25: 3, coverage: 1 })),
      ],
      context,
    )
    expect(row?.found).toMatchObject({ distance: 0.4, bm25: 3, match: 'words' })
    expect(row).toMatchObject({ fused: 1, nearness: 1 })
  })

  test('newest and final rows are first where all else is even', () => {
    const rows = [
      found('old', { writtenAt: 10n, distance: 0.5 }),
      found('new', { writtenAt: 100n, distance: 0.5 }),
    ]
    const even = rows.map((row) => list('vector', row))
    expect(idsOf(rank(even, { ...context, finalized: undefined }))).toEqual(['new', 'old'])
    expect(idsOf(rank(even, { ...context, newest: undefined }))).toEqual(['old', 'new'])
  })

  test('rows of what the words mean are above others as near', () => {
    const meant = { contracts: ['0xa'], selectors: ['0x1'], share: 1 }
    const rows = [
      found('neither'),
      found('both', { contract: '0xa', selector: '0x1' }),
      found('one', { contract: '0xa' }),
    ]
    expect(
      idsOf(
        rank(
          rows.map((row) => list('vector', row)),
          { ...context, meant },
        ),
      ),
    ).toEqual(['both', 'one', 'neither'])
  })
})

describe('arrange', () => {
  test('what is named comes first, a row of each kind in turn; what merely fits comes last, newest first', () => {
    const lists = [
      list(
        'exact',
        found('t1', { match: 'exact', writtenAt: 9n }),
        found('t2', { match: 'exact', writtenAt: 8n }),
      ),
      list('exact', found('p1', { match: 'exact', table: 'patterns', writtenAt: 7n })),
      list('graph', found('e1', { match: 'exact', table: 'entities', writtenAt: 9n })),
      list('vector', found('n1', { distance: 0.01 })),
      list(
        'newest',
        found('f1', { match: 'newest', writtenAt: 20n }),
        found('f2', { match: 'newest', writtenAt: 90n }),
      ),
    ]
    expect(idsOf(arrange(lists, context))).toEqual(['t1', 'p1', 'e1', 't2', 'n1', 'f2', 'f1'])
  })

  const rows = fc.uniqueArray(
    fc.record({
      id: fc.string({ minLength: 1, maxLength: 3 }),
      table: fc.constantFrom<Found['table'][]>(
        'transactions',
        'patterns',
        'documents',
        'memories',
        'entities',
      ),
      match: fc.constantFrom<Found['match'][]>('exact', 'near', 'words', 'neighbour', 'newest'),
      distance: fc.option(fc.double({ min: 0, max: 2, noNaN: true }), { nil: undefined }),
      bm25: fc.option(fc.double({ min: 0.01, max: 30, noNaN: true }), { nil: undefined }),
      writtenAt: fc.option(fc.bigInt({ min: 0n, max: 200n }), { nil: undefined }),
      vector: fc.option(fc.constantFrom([1, 0], [0, 1], [0.6, 0.8]), { nil: undefined }),
    }),
    { selector: ({ id, table }) => `${table} ${id}`, maxLength: 80 },
  )

  test('property: every row is there once, worth is from 0 to 1, and the order does not depend on that of equal lists', () => {
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 4 }), (rows, cuts) => {
        const all = rows.map(({ vector, ...row }) =>
          found(row.id, { ...row, vector: vector && Float32Array.from(vector) }),
        )
        const lists = [...Map.groupBy(all, (_, index) => index % cuts).values()].map((part) =>
          list('vector', ...part),
        )
        const ordered = arrange(lists, context)
        expect(ordered.map(({ found }) => `${found.table} ${found.id}`).sort()).toEqual(
          all.map(({ table, id }) => `${table} ${id}`).sort(),
        )
        for (const { rerank, fused, nearness } of ordered) {
          for (const share of [rerank, fused, nearness]) {
            expect(share).toBeGreaterThanOrEqual(0)
            expect(share).toBeLessThanOrEqual(1)
          }
        }
        expect(idsOf(arrange(lists, context))).toEqual(idsOf(ordered))
      }),
      { numRuns: 200 },
    )
  })
})

describe('diversify', () => {
  const ranked = (id: string, rerank: number, vector: readonly number[]): Ranked => ({
    found: found(id, { vector: Float32Array.from(vector) }),
    fused: rerank,
    nearness: rerank,
    rerank,
    place: 0,
  })

  test('repetition is set back behind what is nearly as good and different', () => {
    const rows = [
      ranked('a', 0.9, [1, 0]),
      ranked('again', 0.88, [1, 0]),
      ranked('other', 0.8, [0, 1]),
      ranked('poor', 0.1, [0, 1]),
    ]
    expect(idsOf(diversify(rows, 0.7))).toEqual(['a', 'other', 'again', 'poor'])
    expect(idsOf(diversify(rows, 1))).toEqual(idsOf(rows))
  })

  test('property: all rows once, the best first', () => {
    const row = fc.tuple(
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.constantFrom([1, 0], [0, 1], [0.6, 0.8]),
    )
    fc.assert(
      fc.property(
        fc.array(row, { maxLength: 260 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (rows, lambda) => {
          const sorted = rows
            .map(([worth, vector], index) => ranked(`${index}`, worth, vector))
            .sort((a, b) => b.rerank - a.rerank)
          const order = diversify(sorted, lambda)
          expect(idsOf(order).sort()).toEqual(idsOf(sorted).sort())
          if (lambda > 0) expect(order[0]?.rerank).toBe(sorted[0]?.rerank)
        },
      ),
      { numRuns: 100 },
    )
  })

  test('texts are alike by the words they share, rows by their vectors, one and the other not at all', () => {
    const text = (...words: readonly string[]): Ranked => ({
      ...ranked('t', 1, [1, 0]),
      found: found('t', { vector: undefined, words: new Set(words) }),
    })
    expect(likenessOf(text('a', 'b'), text('b', 'c'))).toBeCloseTo(1 / 3)
    expect(likenessOf(ranked('x', 1, [0.6, 0.8]), ranked('y', 1, [1, 0]))).toBeCloseTo(0.6)
    expect(likenessOf(text('a'), ranked('x', 1, [1, 0]))).toBe(0)
  })
})
