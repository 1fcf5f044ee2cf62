import { FilterError } from '../errors.ts'
import { type ColumnType, filterColumns, kindOf, type TableName, writtenColumn } from './columns.ts'
import type { FilterExpression, FilterLiteral, FilterPredicate } from './parseFilter.ts'

/** Digits of the largest wei value, 2^256 - 1. Values are stored padded to it, so that text order is number order. */
export const weiDigits = 78

const largestInteger = 2n ** 63n - 1n

/** Names of columns as stored, where a table spells them otherwise. */
const storedNames: Readonly<Record<TableName, Readonly<Record<string, string>>>> = {
  transactions: {},
  patterns: { blockNumber: 'boundary', to: 'contract' },
  memories: { blockNumber: 'toBlock' },
  documents: { to: 'contract' },
}

/**
 * Writes a parsed condition as SQL for one table, from our own words and checked values only: nothing of the text
 * passes through. Undefined when it names a column the table does not have: then the table is left out of the answer.
 * Throws `FilterError` for a value that does not fit its column.
 * @param finalized highest finalized block; undefined when none is known, then every row is `head`
 */
export function compileFilter(
  expression: FilterExpression,
  table: TableName,
  finalized: bigint | undefined,
): string | undefined {
  if (expression.kind === 'predicate') return compilePredicate(expression, table, finalized)
  if (expression.kind === 'not') {
    const term = compileFilter(expression.term, table, finalized)
    return term === undefined ? undefined : `NOT ${enclose(expression.term, term, 'not')}`
  }
  const terms: string[] = []
  for (const inner of expression.terms) {
    const term = compileFilter(inner, table, finalized)
    if (term === undefined) return undefined
    terms.push(enclose(inner, term, expression.kind))
  }
  return terms.join(expression.kind === 'and' ? ' AND ' : ' OR ')
}

/** Parentheses only where precedence asks for them: each costs a level of LanceDB's parser. */
function enclose(inner: FilterExpression, sql: string, outer: 'and' | 'or' | 'not'): string {
  const bare = inner.kind === 'predicate' || outer === 'or' || (outer === 'and' && inner.kind !== 'or')
  return bare ? sql : `(${sql})`
}

function compilePredicate(
  predicate: FilterPredicate,
  table: TableName,
  finalized: bigint | undefined,
): string | undefined {
  const type = filterColumns[table][predicate.column]
  if (type === undefined) return undefined
  if (type === 'kind') return holdsFor(predicate, kindOf[table]) ? 'TRUE' : 'FALSE'
  if (type === 'finality') return compileFinality(predicate, table, finalized)
  const column = `\`${storedNames[table][predicate.column] ?? predicate.column}\``
  const isText = table === 'documents' || table === 'memories'
  // SQLite takes a statement to end at NUL; the rows of others, where LanceDB reads them, may be asked for it.
  const value = (literal: FilterLiteral) => {
    const sql = sqlValue(literal, type, predicate.column)
    return isText && sql.includes('\0') ? `(${sql.replaceAll('\0', "' || char(0) || '")})` : sql
  }
  switch (predicate.test) {
    case 'compare':
      if (type === 'boolean' && predicate.comparison !== '=' && predicate.comparison !== '<>') {
        throw new FilterError(
          `${predicate.column} is true or false: compare it with = or <>`,
          predicate.position,
        )
      }
      return `${column} ${predicate.comparison} ${value(predicate.value)}`
    case 'in':
      return `${column} ${predicate.negated ? 'NOT ' : ''}IN (${predicate.values.map(value).join(', ')})`
    case 'between':
      if (type === 'boolean') throw new FilterError(`${predicate.column} has no order`, predicate.position)
      return `${column} ${predicate.negated ? 'NOT ' : ''}BETWEEN ${predicate.values.map(value).join(' AND ')}`
    case 'like':
      if ((type !== 'hex' && type !== 'text') || predicate.value.kind === 'number') {
        throw new FilterError(
          `LIKE needs a text column and a string: ${predicate.column} is ${type}`,
          predicate.position,
        )
      }
      // LanceDB's wildcards have this escape by themselves.
      return `${column} ${predicate.negated ? 'NOT ' : ''}LIKE ${value(predicate.value)}${isText ? " ESCAPE '\\'" : ''}`
  }
}

function compileFinality(
  predicate: FilterPredicate,
  table: TableName,
  finalized: bigint | undefined,
): string {
  const whenFinal = holdsFor(predicate, 'finalized')
  const whenHead = holdsFor(predicate, 'head')
  if (whenFinal === whenHead) return whenFinal ? 'TRUE' : 'FALSE'
  const written = writtenColumn[table]
  // No reorg takes a document back.
  if (written === undefined) return whenFinal ? 'TRUE' : 'FALSE'
  if (finalized === undefined) return whenHead ? 'TRUE' : 'FALSE'
  return `\`${written}\` ${whenFinal ? '<=' : '>'} ${finalized}`
}

/** Whether a predicate on a column that is not stored holds for one of its few values. */
function holdsFor(predicate: FilterPredicate, value: string): boolean {
  const text = (literal: FilterLiteral) => {
    if (literal.kind === 'string') return literal.text
    throw new FilterError(`${predicate.column} is compared with a string`, literal.position)
  }
  if (predicate.test === 'in') return predicate.values.map(text).includes(value) !== predicate.negated
  if (predicate.test === 'compare' && (predicate.comparison === '=' || predicate.comparison === '<>')) {
    return (text(predicate.value) === value) === (predicate.comparison === '=')
  }
  throw new FilterError(`${predicate.column} takes =, <> and IN only`, predicate.position)
}

function sqlValue(
  literal: FilterLiteral,
  type: Exclude<ColumnType, 'kind' | 'finality'>,
  column: string,
): string {
  const { kind, text, position } = literal
  const refuse = (expected: string) => new FilterError(`${column} is compared with ${expected}`, position)
  switch (type) {
    case 'text':
      if (kind !== 'string') throw refuse("a string in ' quotes")
      return sqlString(text)
    case 'hex':
      if (kind !== 'string' && kind !== 'hex') throw refuse("hex digits, as 0x… or in ' quotes")
      return sqlString(text.toLowerCase())
    case 'boolean':
      if (kind !== 'boolean') throw refuse('TRUE or FALSE')
      return text
    case 'decimal':
      if (kind !== 'number') throw refuse('a number')
      return text.includes('.') ? text : `${text}.0`
    case 'integer': {
      if (kind !== 'number' || text.includes('.')) throw refuse('an integer')
      const number = BigInt(text)
      if (number > largestInteger || number < -largestInteger) throw refuse('an integer of at most 63 bits')
      return number.toString()
    }
    case 'wei': {
      // Quoted digits are taken as well: that is how JSON carries such numbers.
      if (!/^\d{1,78}$/.test(text) || (kind !== 'number' && kind !== 'string')) {
        throw refuse(`wei: an integer from 0 of at most ${weiDigits} digits`)
      }
      return sqlString(text.padStart(weiDigits, '0'))
    }
  }
}

function sqlString(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
