import fc from 'fast-check'
import { toFunctionSelector } from 'viem'
import { describe, expect, test } from 'vitest'
import { QueryError } from '#vector'
import { escapeText } from '../../../../vector/query/escapeText.ts'
import { knownCalls } from '../../../../vector/query/knownCalls.ts'
import { parseQuery } from '../../../../vector/query/parseQuery.ts'
import { addressOf, blockOf } from '../support.ts'

describe('parseQuery', () => {
  test('reads hashes, addresses, selectors and fields in any case', () => {
    const address = addressOf('x')
    const { hash } = blockOf(1)
    const query = parseQuery(
      `${hash.toUpperCase().replace('0X', '0x')}, ${address} 0xA9059CBB to:${address} block:12 route:skip`,
    )
    expect(query).toMatchObject({
      hashes: [hash],
      addresses: [address],
      selectors: ['0xa9059cbb'],
      to: [address],
      blocks: [12n],
      routes: ['skip'],
    })
  })

  test('reads words as filters and calls', () => {
    const query = parseQuery('show me failed SVM transfers on the foo')
    expect(query).toMatchObject({
      svm: true,
      outcomes: ['failed'],
      wordSelectors: ['0xa9059cbb', '0x23b872dd'],
      open: ['foo'],
    })
    expect(parseQuery('svm and evm').svm).toBeUndefined()
  })

  test.each(['to:0x12', 'block:x', 'nope:1', 'kind:table', "route:x'y"])('refuses %s', (text) => {
    expect(() => parseQuery(text)).toThrow(QueryError)
  })

  test('refuses more than 8192 bytes and long lists', () => {
    expect(parseQuery('a'.repeat(8192)).open).toHaveLength(1)
    expect(() => parseQuery('a'.repeat(8193))).toThrow(expect.objectContaining({ code: 'QUERY_TOO_LONG' }))
    const many = Array.from({ length: 65 }, (_, number) => `block:${number}`).join(' ')
    expect(() => parseQuery(many)).toThrow(expect.objectContaining({ code: 'QUERY_INVALID' }))
  })

  test('property: any text is read or refused', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        try {
          expect(parseQuery(text).open.length).toBeLessThanOrEqual(256)
        } catch (error) {
          expect(error).toBeInstanceOf(QueryError)
        }
      }),
    )
  })
})

test('knownCalls: every selector is that of its signature', () => {
  for (const [signature, selector] of Object.values(knownCalls).flatMap(Object.entries)) {
    expect(toFunctionSelector(signature as string), signature as string).toBe(selector)
  }
})

test('escapeText leaves no control, direction or quoting mark', () => {
  expect(escapeText('a\u001b[2J\u202eb»\n', 20)).toBe('a\\u{1b}[2J\\u{202e}b\\u{bb}\\u{a}')
  expect(escapeText('abcdef', 3)).toBe('abc…')
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(escapeText(text, 50)).not.toMatch(/[\p{C}\p{Zl}\p{Zp}«»]/u)
    }),
  )
})
