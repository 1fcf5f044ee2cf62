import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FilterError } from '#vector'
import type { TableName } from '../../../../vector/filter/columns.ts'
import { compileFilter } from '../../../../vector/filter/compileFilter.ts'
import { parseFilter } from '../../../../vector/filter/parseFilter.ts'

const compile = (text: string, table: TableName = 'transactions', finalized: bigint | undefined = 90n) =>
  compileFilter(parseFilter(text), table, finalized)

function refusal(text: string): FilterError {
  try {
    compile(text)
  } catch (error) {
    if (error instanceof FilterError) return error
    throw error
  }
  throw new Error(`accepted: ${text}`)
}

describe('accepted conditions', () => {
  test.each([
    ['block_number > 100', '`blockNumber` > 100'],
    ['BLOCKNUMBER between 1 and 5', '`blockNumber` BETWEEN 1 AND 5'],
    ['to = 0xABCD', "`to` = '0xabcd'"],
    ['"from" != \'0xAB\'', "`from` <> '0xab'"],
    ["route in ('skip', 'executeOnSvm')", "`route` IN ('skip', 'executeOnSvm')"],
    ["decision NOT LIKE 'exec%'", "`route` NOT LIKE 'exec%'"],
    ['svm', '`svm` = true'],
    [
      'not svm and not not (type = 2 or confidence >= 1)',
      'NOT `svm` = true AND (`type` = 2 OR `confidence` >= 1.0)',
    ],
    ["reason = 'it''s'", "`reason` = 'it''s'"],
    ['value > 5', `\`value\` > '${'5'.padStart(78, '0')}'`],
    ["finality = 'finalized'", '`blockNumber` <= 90'],
    ["finality <> 'finalized'", '`blockNumber` > 90'],
    ["finality in ('head', 'finalized')", 'TRUE'],
    ["kind = 'pattern'", 'FALSE'],
  ])('%s', (text, sql) => {
    expect(compile(text)).toBe(sql)
  })

  test('speak of patterns in their own columns, or not at all', () => {
    expect(compile('block > 5 AND to = 0xAB', 'patterns')).toBe("`boundary` > 5 AND `contract` = '0xab'")
    expect(compile("outcome = 'failed' OR svm", 'patterns')).toBeUndefined()
    expect(compile('evmFailed > 0.5', 'transactions')).toBeUndefined()
  })

  test('without a finalized block every row is head', () => {
    expect(compileFilter(parseFilter("finality = 'head'"), 'transactions', undefined)).toBe('TRUE')
    expect(compileFilter(parseFilter("finality = 'finalized'"), 'transactions', undefined)).toBe('FALSE')
  })
})

describe('refused conditions name the position', () => {
  test.each([
    ['', 0],
    ['nope = 1', 0],
    ['svm; DROP TABLE transactions', 3],
    ['svm -- comment', 4],
    ['svm /* x */', 4],
    ["outcome = 'open", 10],
    ['lower(to) = 0xab', 0],
    ['to(x) = 0xab', 2],
    ['block = (SELECT 1)', 8],
    ['block = block', 8],
    ['block = 1 + 1', 10],
    ['1 = 1', 0],
    ['block = 1.5', 8],
    ['block = 9223372036854775808', 8],
    ["block = '7'", 8],
    ['to = 5', 5],
    ['value < -1', 8],
    ['block LIKE 5', 0],
    ['svm > TRUE', 0],
    ['to IS NULL', 3],
    ['to IN ()', 7],
    ['(svm', 4],
    ['svm svm', 4],
    ['embedding = 1', 0],
    ['calldataHead = 0x00', 0],
    ["finality LIKE 'f%'", 0],
    [`${'('.repeat(30)}svm${')'.repeat(30)}`, 10],
  ])('%s', (text, position) => {
    const error = refusal(text)
    expect(error.position, error.message).toBe(position)
    expect(error.code).toBe('FILTER_INVALID')
  })
})

test('refuses more than 2048 bytes', () => {
  expect(refusal(`to = '${'a'.repeat(2048)}'`).position).toBe(2048)
})

const pieces = fc.constantFrom(
  ...[
    'block',
    'to',
    'svm',
    'value',
    'finality',
    'kind',
    '=',
    '<',
    '>=',
    'IN',
    'NOT',
    'AND',
    'OR',
    'LIKE',
    'BETWEEN',
    '(',
    ')',
    ',',
  ],
  ...["'x'", "''''", '0xab', '1', '-2.5', 'TRUE', ';', '--', '"to"', '`', "'", '\u0000', '\ud800', '*', '\\'],
)

test('property: any text compiles to our own words only, or is a FilterError', () => {
  const texts = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(pieces).map((list) => list.join(' ')),
  )
  fc.assert(
    fc.property(texts, (text) => {
      let sql: string | undefined
      try {
        sql = compile(text)
      } catch (error) {
        expect(error).toBeInstanceOf(FilterError)
        const { position } = error as FilterError
        expect(position).toBeGreaterThanOrEqual(0)
        expect(position).toBeLessThanOrEqual(Math.max(text.length, 2048))
        return
      }
      const outside = (sql ?? '').replace(/'(?:[^']|'')*'/g, '?')
      expect(outside).toMatch(
        /^(?:`\w+`|\?|-?\d+(?:\.\d+)?|true|false|TRUE|FALSE|AND|OR|NOT|IN|LIKE|BETWEEN|<=|>=|<>|[<>=(), ])*$/,
      )
    }),
    { numRuns: 2000 },
  )
})
