import type { FilterExpression } from './parseFilter.ts'

/** Columns of which one value has few rows, or rows that an index has in their order. */
const indexed: readonly string[] = [
  'id',
  'transactionHash',
  'blockHash',
  'blockNumber',
  'to',
  'from',
  'selector',
]
/** Columns that an index of another one carries. */
const carried: readonly string[] = ['svm', 'route', 'outcome', 'finality', 'kind']

/**
 * Whether a filter says nothing but what the indices of the rows hold, in the same way. LIKE is left to LanceDB, whose wildcards have an
 * escape of their own, and so is NUL, where SQLite takes a statement to end.
 */
export function isPlain(expression: FilterExpression): boolean {
  if (expression.kind === 'not') return isPlain(expression.term)
  if (expression.kind !== 'predicate') return expression.terms.every(isPlain)
  if (expression.test === 'like') return false
  const values = expression.test === 'compare' ? [expression.value] : expression.values
  return (
    !values.some(({ text }) => text.includes('\0')) &&
    (indexed.includes(expression.column) || carried.includes(expression.column))
  )
}

/** Whether all that fits has one of a few values in an indexed column. */
export function isSelective(expression: FilterExpression): boolean {
  if (expression.kind === 'and') return expression.terms.some(isSelective)
  if (expression.kind !== 'predicate' || !indexed.includes(expression.column)) return false
  if (expression.test === 'compare') return expression.comparison === '='
  return expression.test === 'in' && !expression.negated
}

/** How many outcomes fit at most; 0 where any may. */
export function outcomesOf(expression: FilterExpression): number {
  if (expression.kind === 'and') {
    const known = expression.terms.map(outcomesOf).filter((count) => count > 0)
    return known.length === 0 ? 0 : Math.min(...known)
  }
  if (expression.kind !== 'predicate' || expression.column !== 'outcome') return 0
  if (expression.test === 'compare') return expression.comparison === '=' ? 1 : 0
  return expression.test === 'in' && !expression.negated ? expression.values.length : 0
}
