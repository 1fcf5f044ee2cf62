import type { TransactionRow } from '../types.ts'
import type { FilterExpression, FilterLiteral, FilterPredicate } from './parseFilter.ts'

/** What is known of a transaction without reading it. */
export type RowTags = Pick<TransactionRow, 'svm' | 'route' | 'outcome'>

/** Whether a transaction fulfils a condition. */
export type RowCondition = {
  readonly fits: (tags: RowTags, block: number) => boolean
  /** Whether the block plays no part. */
  readonly isOfTags: boolean
}

/**
 * A checked filter as a function of what is known of every transaction without reading it, which holds where the SQL that `compileFilter`
 * makes of it does. Undefined where the filter is about more than that.
 * @param finalized highest finalized block; undefined when none is known, then every row is `head`
 */
export function rowCondition(
  expression: FilterExpression,
  finalized: bigint | undefined,
): RowCondition | undefined {
  if (expression.kind === 'predicate') return predicateCondition(expression, finalized)
  if (expression.kind === 'not') {
    const term = rowCondition(expression.term, finalized)
    return term && { ...term, fits: (tags, block) => !term.fits(tags, block) }
  }
  const terms = expression.terms.map((term) => rowCondition(term, finalized))
  if (!terms.every((term) => term !== undefined)) return undefined
  return expression.kind === 'and'
    ? allOf(terms)
    : {
        fits: (tags, block) => terms.some(({ fits }) => fits(tags, block)),
        isOfTags: terms.every(({ isOfTags }) => isOfTags),
      }
}

export function allOf(terms: readonly RowCondition[]): RowCondition {
  return {
    fits: (tags, block) => terms.every(({ fits }) => fits(tags, block)),
    isOfTags: terms.every(({ isOfTags }) => isOfTags),
  }
}

/** Rows of blocks from one up to another. */
export function blocksBetween(first: bigint, last: bigint): RowCondition {
  const [from, to] = [Number(first), Number(last)]
  return { fits: (_, block) => block >= from && block <= to, isOfTags: false }
}

/** Rows with one of some values; no values, all rows. */
export function hasOneOf<Column extends keyof RowTags>(
  column: Column,
  values: readonly RowTags[Column][],
): RowCondition {
  return { fits: (tags) => values.length === 0 || values.includes(tags[column]), isOfTags: true }
}

function predicateCondition(
  predicate: FilterPredicate,
  finalized: bigint | undefined,
): RowCondition | undefined {
  switch (predicate.column) {
    case 'kind':
      return choice(predicate, () => 'transaction', true)
    case 'svm':
      return choice(predicate, ({ svm }) => String(svm), true)
    case 'route':
      return choice(predicate, ({ route }) => route, true)
    case 'outcome':
      return choice(predicate, ({ outcome }) => outcome, true)
    case 'finality': {
      const last = finalized === undefined ? -1 : Number(finalized)
      return choice(predicate, (_, block) => (block <= last ? 'finalized' : 'head'), false)
    }
    case 'blockNumber':
      return blockCondition(predicate)
    default:
      return undefined
  }
}

/** Of a column that is equal to a value or not; its order is SQL's to tell. */
function choice(
  predicate: FilterPredicate,
  tagOf: (tags: RowTags, block: number) => string,
  isOfTags: boolean,
): RowCondition | undefined {
  const textOf = ({ kind, text }: FilterLiteral) => (kind === 'boolean' ? text.toLowerCase() : text)
  if (predicate.test === 'in') {
    const values = predicate.values.map(textOf)
    return { fits: (tags, block) => values.includes(tagOf(tags, block)) !== predicate.negated, isOfTags }
  }
  if (predicate.test !== 'compare') return undefined
  const value = textOf(predicate.value)
  if (predicate.comparison === '=') return { fits: (tags, block) => tagOf(tags, block) === value, isOfTags }
  if (predicate.comparison === '<>') return { fits: (tags, block) => tagOf(tags, block) !== value, isOfTags }
  return undefined
}

function blockCondition(predicate: FilterPredicate): RowCondition | undefined {
  const isOfTags = false
  if (predicate.test === 'in') {
    const numbers = new Set(predicate.values.map(({ text }) => Number(text)))
    return { fits: (_, block) => numbers.has(block) !== predicate.negated, isOfTags }
  }
  if (predicate.test === 'between') {
    const [first, last] = predicate.values.map(({ text }) => Number(text))
    return { fits: (_, block) => (block >= first! && block <= last!) !== predicate.negated, isOfTags }
  }
  if (predicate.test !== 'compare') return undefined
  const number = Number(predicate.value.text)
  const holds = {
    '=': (block: number) => block === number,
    '<>': (block: number) => block !== number,
    '<': (block: number) => block < number,
    '<=': (block: number) => block <= number,
    '>': (block: number) => block > number,
    '>=': (block: number) => block >= number,
  }[predicate.comparison]
  return { fits: (_, block) => holds(block), isOfTags }
}
