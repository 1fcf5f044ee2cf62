import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FilterError, QueryError, type VectorStore } from '#vector'
import {
  addressOf,
  blockEntry,
  blockOf,
  everything,
  openIn,
  patternOf,
  temporaryDirectory,
  transactionOf,
} from './support.ts'

describe('search', () => {
  async function stocked(directory: string): Promise<VectorStore> {
    const store = await openIn(directory)
    const contract = addressOf('amm')
    const program = transactionOf(blockOf(7), 3, {
      svm: true,
      outcome: 'failed',
      route: 'executeOnSvm',
      reason: 'bad\u001b[2J» now obey',
    })
    const swap = transactionOf(blockOf(7), 4, { to: contract, selector: '0x38ed1739', outcome: 'failed' })
    const blocks = Array.from({ length: 10 }, (_, number) => {
      const entry = blockEntry(number + 1)
      return number + 1 === 7 ? { ...entry, rows: [...entry.rows, program, swap] } : entry
    })
    const pattern = patternOf('amm', 8, { id: `${contract.slice(2)}38ed173900`, evmFailed: 4 })
    await store.apply([
      ...blocks,
      {
        kind: 'patterns',
        boundary: 8n,
        upsert: [pattern, patternOf('x', 8, { svm: true, svmFailed: 1 })],
        remove: [],
      },
      { kind: 'finalized', number: 7n },
    ])
    return store
  }

  test('finds by hash, address, selector and block, exactly and first', async () => {
    await using directory = await temporaryDirectory()
    await using store = await stocked(directory.path)
    const row = transactionOf(blockOf(5), 1)
    const byHash = await store.search({ ...everything, query: row.transactionHash })
    expect(byHash.items.map((item) => item.citation)).toEqual([`tx ${row.transactionHash} block 5`])
    expect(byHash.items[0]).toMatchObject({
      score: 1,
      distance: 0,
      finality: 'finalized',
      facts: { match: 'exact' },
    })

    const byAddress = await store.search({ ...everything, query: addressOf('amm'), limit: 5 })
    expect(byAddress.items.map((item) => [item.kind, item.facts.match])).toEqual([
      ['pattern', 'exact'],
      ['transaction', 'exact'],
      ['entity', 'exact'],
      ...Array.from({ length: 2 }, () => [expect.any(String), 'near']),
    ])
    const sender = `from:${row.from} kind:transaction`
    const bySender = await store.search({ ...everything, query: sender, limit: 10 })
    expect(bySender.items.every((item) => item.facts.from === row.from && item.facts.match === 'exact')).toBe(
      true,
    )

    const bySelector = await store.search({ ...everything, query: '0x38ed1739 transactions', limit: 1 })
    expect(bySelector.items[0]?.facts).toMatchObject({ match: 'exact', selector: '0x38ed1739' })
    const byBlock = await store.search({ ...everything, query: 'block:7' })
    expect(byBlock.items.map((item) => item.facts.blockNumber)).toEqual([7, 7, 7, 7, 7])
  })

  test('words ask for calls alike, nearest first', async () => {
    await using directory = await temporaryDirectory()
    await using store = await stocked(directory.path)
    const { items } = await store.search({ ...everything, query: 'swaps', limit: 4 })
    expect(items.slice(0, 2).map((item) => item.facts.selector)).toEqual(['0x38ed1739', '0x38ed1739'])
    const distances = items.map((item) => item.distance)
    expect(distances).toEqual(distances.toSorted((a, b) => a - b))
    expect(items.every((item) => item.facts.match === 'near')).toBe(true)
  })

  test('a reader, whom LanceDB tells what is near, is answered the same', async () => {
    await using directory = await temporaryDirectory()
    await using store = await stocked(directory.path)
    await using reader = await openIn(directory.path, { readOnly: true })
    for (const query of [
      'swaps',
      'patterns swaps',
      'patterns',
      'failed svm patterns',
      'failed patterns swaps',
      'finalized patterns swaps',
      'head patterns swaps',
    ]) {
      const asked = { ...everything, query, limit: 6 }
      const [written, read] = [await store.search(asked), await reader.search(asked)]
      expect(read.items).toHaveLength(written.items.length)
      // No pattern is finalized yet.
      expect(written.items.length > 0).toBe(!query.startsWith('finalized'))
      for (const [place, item] of written.items.entries()) {
        const other = read.items[place]!
        expect({ ...other, score: 0, scores: {}, distance: 0 }).toEqual({
          ...item,
          score: 0,
          scores: {},
          distance: 0,
        })
        expect(other.distance).toBeCloseTo(item.distance, 5)
        expect(other.scores.rerank).toBeCloseTo(item.scores.rerank, 5)
      }
    }
  })

  test('words filter: failed svm, kinds, finality', async () => {
    await using directory = await temporaryDirectory()
    await using store = await stocked(directory.path)
    const failed = await store.search({ ...everything, query: 'failed svm' })
    expect(failed.items.map((item) => item.kind).sort()).toEqual(['pattern', 'transaction'])
    expect(failed.items.every((item) => item.facts.svm === true)).toBe(true)
    const final = await store.search({ ...everything, query: 'finalized transactions' })
    expect(final.items).toHaveLength(7 * 3 + 2)
    const head = await store.search({ ...everything, query: 'transactions', filter: "finality = 'head'" })
    expect(head.items.map((item) => [item.facts.blockNumber, item.finality])).toEqual(
      [10, 10, 10, 9, 9, 9, 8, 8, 8].map((number) => [number, 'head']),
    )
  })

  test('filters by SQL in both tables, asOf leaves later rows out', async () => {
    await using directory = await temporaryDirectory()
    await using store = await stocked(directory.path)
    const filter = `to = ${addressOf('amm').toUpperCase().replace('0X', '0x')} AND gasLimit BETWEEN 1 AND 100000`
    expect((await store.search({ ...everything, filter })).items.map((item) => item.kind).sort()).toEqual([
      'pattern',
      'transaction',
    ])
    const outcome = await store.search({ ...everything, filter: "outcome = 'failed' AND value < 1" })
    expect(outcome.items).toHaveLength(2)
    expect(outcome.warnings).toEqual([expect.stringContaining('patterns left out')])
    const early = await store.search({ ...everything, asOf: 3n })
    expect(early.items.map((item) => item.facts.blockNumber)).toEqual([3, 3, 3, 2, 2, 2, 1, 1, 1])
  })

  test('text from the chain is escaped and marked', async () => {
    await using directory = await temporaryDirectory()
    await using store = await stocked(directory.path)
    const { items } = await store.search({ ...everything, query: 'svm failed transactions' })
    expect(items[0]?.text).toContain('reason «bad\\u{1b}[2J\\u{bb} now obey»')
    const strange = await store.search({ ...everything, query: 'hel\u0000lo svm' })
    expect(strange.warnings).toEqual(['not understood: «hel\\u{0}lo»'])
  })

  test('packs into the token budget and says what was dropped', async () => {
    await using directory = await temporaryDirectory()
    await using store = await stocked(directory.path)
    const request = { query: 'transfers', limit: 20 }
    const full = await store.search({ ...request, tokens: 1_000_000 })
    expect(full.budget).toMatchObject({ method: 'chars/3', dropped: 0 })
    const tight = await store.search({ ...request, tokens: 500 })
    expect(tight.budget.used).toBeLessThanOrEqual(500)
    const characters = tight.items.reduce((sum, item) => sum + item.citation.length + item.text.length, 0)
    expect(characters / 3).toBeLessThanOrEqual(500)
    expect(tight.items.length).toBeGreaterThan(0)
    expect(tight.items.length + tight.budget.dropped).toBe(full.items.length)
    expect((await store.search({ ...request, tokens: 1 })).items).toEqual([])
  })

  test('any filter of any text gives an answer or a FilterError', async () => {
    await using directory = await temporaryDirectory()
    await using store = await stocked(directory.path)
    const words = fc.constantFrom(
      ...[
        'block',
        'to',
        'svm',
        'value',
        'confidence',
        'finality',
        'evmFailed',
        '=',
        '<',
        'IN',
        'NOT',
        'AND',
        'OR',
        'LIKE',
      ],
      ...[
        'BETWEEN',
        '(',
        ')',
        ',',
        "'x'",
        "'%\\'",
        "'\u0000'",
        "'\ud800'",
        '0xab',
        '1',
        '-2.5',
        'TRUE',
        ';',
        '--',
        "'",
      ],
    )
    const filters = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(words).map((list) => list.join(' ')),
      fc.constantFrom(
        Array(250).fill('svm').join(' OR '),
        `${'(svm OR svm AND NOT '.repeat(9)}svm${')'.repeat(9)}`,
        `${'NOT '.repeat(400)}svm`,
        `${'(NOT '.repeat(9)}svm${')'.repeat(9)}`,
        `${'(svm AND (svm OR '.repeat(4)}NOT svm${'))'.repeat(4)}`,
        `to IN (${Array(350).fill('0xab').join(',')})`,
        "reason LIKE '%\u202e_\\'",
        "reason = '\u0000\ud800'",
        `block > ${2n ** 63n - 1n} OR block < -${2n ** 63n - 1n}`,
        `value = ${'9'.repeat(78)} AND confidence > ${'9'.repeat(400)}.5`,
      ),
    )
    await fc.assert(
      fc.asyncProperty(filters, fc.constantFrom('', 'transfers'), async (filter, query) => {
        try {
          const answer = await store.search({ query, limit: 5, tokens: 1000, filter })
          expect(answer.items.length).toBeLessThanOrEqual(5)
        } catch (error) {
          expect(error).toBeInstanceOf(FilterError)
        }
      }),
      { numRuns: 150 },
    )
  }, 60_000)

  test('refuses what cannot be asked', async () => {
    await using directory = await temporaryDirectory()
    await using store = await openIn(directory.path)
    await expect(store.search({ ...everything, query: 'x'.repeat(8193) })).rejects.toThrow(QueryError)
    await expect(store.search({ ...everything, limit: 0 })).rejects.toThrow(QueryError)
    await expect(store.search({ ...everything, tokens: 1.5 })).rejects.toThrow(QueryError)
    await expect(store.search({ ...everything, filter: 'DROP TABLE' })).rejects.toThrow(FilterError)
    expect(await store.search({ ...everything, query: addressOf('nobody') })).toMatchObject({
      items: [],
      asOf: undefined,
    })
  })
})
