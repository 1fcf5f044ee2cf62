import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { compileFilter } from '../../../../vector/filter/compileFilter.ts'
import { parseFilter } from '../../../../vector/filter/parseFilter.ts'
import { storedMemory } from '../../../../vector/memory/storedMemory.ts'
import { createRowIndex } from '../../../../vector/rows/rowIndex.ts'
import { createIndices, createTables } from '../../../../vector/rows/rowSchema.ts'
import type { TextRows } from '../../../../vector/rows/textRows.ts'

function openTexts(): TextRows {
  const database = new DatabaseSync(':memory:')
  database.exec('PRAGMA case_sensitive_like = ON')
  for (const statement of [...createTables, ...createIndices]) database.exec(statement)
  database.exec(`INSERT INTO reached("chainId") VALUES ('1337')`)
  return createRowIndex(database).texts
}

const memory = (number: number, text: string, name = 'storm') =>
  storedMemory({
    id: String(number).padStart(32, '0'),
    memoryKind: 'finding',
    name,
    subjects: [`0x${String(number).padStart(40, '0')}`],
    fromBlock: BigInt(number),
    toBlock: BigInt(number),
    risk: 50,
    text,
  })
const idsOf = (found: readonly { readonly row: Readonly<Record<string, unknown>> }[]) =>
  found.map(({ row }) => Number(row.id))

describe('texts', () => {
  test('are found by any of the words, in any form, those with the rarest first', () => {
    const texts = openTexts()
    texts.add('memories', [
      memory(1, 'Many calls fail.'),
      memory(2, 'Calls failing at the router.'),
      memory(3, 'A sandwich.', 'sandwich-like'),
    ])
    expect(idsOf(texts.byWords('memories', ['failed', 'router'], [], 10))).toEqual([2, 1])
    expect(idsOf(texts.byWords('memories', ['0x0000000000000000000000000000000000000003'], [], 10))).toEqual([
      3,
    ])
    expect(idsOf(texts.byWords('memories', ['call'], ['`toBlock` > 1'], 10))).toEqual([2])
    expect(texts.byWords('memories', ['nothing'], [], 10)).toEqual([])
    expect(texts.byWords('memories', [], [], 10)).toEqual([])
    const [best] = texts.byWords('memories', ['sandwich'], [], 1)
    expect(best!.bm25).toBeGreaterThan(0)
    expect(best!.row).toEqual(memory(3, 'A sandwich.', 'sandwich-like'))
  })

  test('given again they are there once, as they were given last, and gone they are not found', () => {
    const texts = openTexts()
    texts.add('memories', [memory(1, 'apples'), memory(2, 'pears')])
    texts.add('memories', [memory(1, 'plums')])
    expect(texts.count('memories')).toBe(2)
    expect(texts.byWords('memories', ['apple'], [], 10)).toEqual([])
    expect(idsOf(texts.byWords('memories', ['plum'], [], 10))).toEqual([1])
  })

  test('words that nearly every text has say nothing, but the newest texts with one that names something come', () => {
    const texts = openTexts()
    const many = Array.from({ length: 3_000 }, (_, index) =>
      memory(index + 1, index % 100 === 7 ? 'calls rare' : 'calls'),
    )
    texts.add('memories', many)
    expect(texts.byWords('memories', ['call'], [], 3)).toEqual([])
    expect(idsOf(texts.byWords('memories', ['call'], [], 3, ['call'])).sort()).toEqual([2998, 2999, 3000])
    const rare = texts.byWords('memories', ['call', 'rare'], [], 1000)
    expect(rare).toHaveLength(30)
    expect(rare.every(({ row }) => String(row.text) === 'calls rare')).toBe(true)
  })

  test.each([
    ["name LIKE 'stor_'", [1]],
    ["name LIKE 'STORM'", []],
    ["name LIKE '100\\%'", [2]],
    ["name LIKE '%o%'", [1, 3]],
    ["name = 'a\0b' OR risk > 90", []],
    ["name IN ('a\0b', 'storm')", [1]],
    ['fromBlock BETWEEN 2 AND 3', [2, 3]],
    ["NOT (kind = 'memory')", []],
  ])('fulfil conditions as LanceDB would have it: %s', (text, expected) => {
    const texts = openTexts()
    texts.add('memories', [memory(1, '', 'storm'), memory(2, '', '100%'), memory(3, '', '100 of')])
    const sql = compileFilter(parseFilter(text), 'memories', undefined)!
    expect(
      texts
        .newest('memories', [sql], 10)
        .map(({ id }) => Number(id))
        .sort(),
    ).toEqual(expected)
  })

  test('a change of documents is told, to whoever reads the file', () => {
    const texts = openTexts()
    const before = texts.documentsVersion()
    const part = {
      id: '1',
      documentId: 'a',
      part: 0n,
      parts: 1n,
      title: 't',
      documentKind: 'note',
      contract: '',
    }
    texts.add('documents', [
      { ...part, selector: '', name: '', text: 't\nfees', words: 't fee', addedMs: 1n, addedAt: -1n },
    ])
    expect(texts.documentsVersion()).toBe(before + 1)
    expect(texts.documents()).toEqual(new Map([['a', 1]]))
    texts.removeDocument('a')
    expect(texts.documents()).toEqual(new Map())
    expect(texts.documentsVersion()).toBe(before + 2)
  })
})
