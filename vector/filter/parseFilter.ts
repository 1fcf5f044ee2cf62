import { FilterError } from '../errors.ts'
import { escapeText } from '../query/escapeText.ts'
import { columnNames, filterColumns, resolveColumn, tableNames } from './columns.ts'
import { type FilterToken, tokenizeFilter } from './tokenizeFilter.ts'

export const comparisons = ['=', '<>', '<', '<=', '>', '>='] as const
export type Comparison = (typeof comparisons)[number]

export type FilterLiteral = {
  readonly kind: 'string' | 'number' | 'hex' | 'boolean'
  readonly text: string
  readonly position: number
}

/** A condition, checked for form: column names exist in at least one table; values are checked when compiled. */
export type FilterExpression =
  | { readonly kind: 'and' | 'or'; readonly terms: readonly FilterExpression[] }
  | { readonly kind: 'not'; readonly term: FilterExpression }
  | FilterPredicate

export type FilterPredicate = {
  readonly kind: 'predicate'
  readonly column: string
  readonly position: number
} & (
  | { readonly test: 'compare'; readonly comparison: Comparison; readonly value: FilterLiteral }
  | { readonly test: 'in' | 'between'; readonly negated: boolean; readonly values: readonly FilterLiteral[] }
  | { readonly test: 'like'; readonly negated: boolean; readonly value: FilterLiteral }
)

/** LanceDB's parser gives up at a depth of its own; a level here may be OR, AND and NOT at once, four of its levels. */
const deepest = 10

/**
 * Parses a condition in a small part of SQL:
 *
 * ```
 * condition  = condition OR condition | condition AND condition | NOT condition | ( condition ) | predicate
 * predicate  = column (= | <> | != | < | <= | > | >=) value | column [NOT] IN (value, …)
 *            | column [NOT] BETWEEN value AND value | column [NOT] LIKE 'text' | column          (svm alone means svm = true)
 * value      = 'text' | 0x… | integer | decimal | TRUE | FALSE
 * ```
 *
 * No functions, arithmetic, subqueries, comments or second statements: whatever else is written is a `FilterError` that
 * names the position. At most 2048 bytes. Columns: `filterColumns`.
 */
export function parseFilter(text: string): FilterExpression {
  const tokens = tokenizeFilter(text)
  let next = 0
  let depth = 0
  const expression = readOr()
  if (peek().kind !== 'end') throw unexpected('AND, OR or the end')
  return expression

  function peek(): FilterToken {
    return tokens[Math.min(next, tokens.length - 1)]!
  }

  function isWord(word: string): boolean {
    return peek().kind === 'word' && peek().text.toUpperCase() === word
  }

  function takeWord(word: string): boolean {
    if (!isWord(word)) return false
    next += 1
    return true
  }

  function takeSymbol(symbol: string): boolean {
    if (peek().kind !== 'symbol' || peek().text !== symbol) return false
    next += 1
    return true
  }

  function expectSymbol(symbol: string): void {
    if (!takeSymbol(symbol)) throw unexpected(`'${symbol}'`)
  }

  function unexpected(expected: string): FilterError {
    const token = peek()
    const came = token.kind === 'end' ? 'the end' : `'${escapeText(token.text, 40)}'`
    return new FilterError(`expected ${expected}, got ${came}`, token.position)
  }

  function readOr(): FilterExpression {
    depth += 1
    if (depth > deepest) throw new FilterError(`nested deeper than ${deepest} levels`, peek().position)
    const terms = [readAnd()]
    while (takeWord('OR')) terms.push(readAnd())
    depth -= 1
    return terms.length === 1 ? terms[0]! : { kind: 'or', terms }
  }

  function readAnd(): FilterExpression {
    const terms = [readNot()]
    while (takeWord('AND')) terms.push(readNot())
    return terms.length === 1 ? terms[0]! : { kind: 'and', terms }
  }

  function readNot(): FilterExpression {
    let negated = false
    while (takeWord('NOT')) negated = !negated
    const term = readPrimary()
    return negated ? { kind: 'not', term } : term
  }

  function readPrimary(): FilterExpression {
    if (!takeSymbol('(')) return readPredicate()
    const expression = readOr()
    expectSymbol(')')
    return expression
  }

  function readPredicate(): FilterPredicate {
    const token = peek()
    if (token.kind !== 'word' && token.kind !== 'name') throw unexpected('a column')
    const column = resolveColumn(token.text)
    if (column === undefined) {
      const known = columnNames().join(', ')
      throw new FilterError(
        `unknown column '${escapeText(token.text, 40)}': use one of ${known}`,
        token.position,
      )
    }
    next += 1
    const base = { kind: 'predicate', column, position: token.position } as const
    const negated = takeWord('NOT')
    if (takeWord('IN')) return { ...base, test: 'in', negated, values: readList() }
    if (takeWord('BETWEEN')) {
      const low = readLiteral()
      if (!takeWord('AND')) throw unexpected('AND')
      return { ...base, test: 'between', negated, values: [low, readLiteral()] }
    }
    if (takeWord('LIKE')) return { ...base, test: 'like', negated, value: readLiteral() }
    if (negated) throw unexpected('IN, BETWEEN or LIKE')
    const comparison = readComparison()
    if (comparison !== undefined) return { ...base, test: 'compare', comparison, value: readLiteral() }
    if (!isBoolean(column)) throw unexpected(`a comparison, IN, BETWEEN or LIKE after ${column}`)
    return {
      ...base,
      test: 'compare',
      comparison: '=',
      value: { kind: 'boolean', text: 'true', position: token.position },
    }
  }

  function readComparison(): Comparison | undefined {
    const token = peek()
    if (token.kind !== 'symbol') return undefined
    const comparison = token.text === '!=' ? '<>' : comparisons.find((symbol) => symbol === token.text)
    if (comparison !== undefined) next += 1
    return comparison
  }

  function readList(): readonly FilterLiteral[] {
    expectSymbol('(')
    const values = [readLiteral()]
    while (takeSymbol(',')) values.push(readLiteral())
    expectSymbol(')')
    return values
  }

  function readLiteral(): FilterLiteral {
    const { kind, text, position } = peek()
    if (kind === 'string' || kind === 'number' || kind === 'hex') {
      next += 1
      return { kind, text, position }
    }
    if (isWord('TRUE') || isWord('FALSE')) {
      next += 1
      return { kind: 'boolean', text: text.toLowerCase(), position }
    }
    throw unexpected('a value')
  }
}

function isBoolean(column: string): boolean {
  return tableNames.some((table) => filterColumns[table][column] === 'boolean')
}
