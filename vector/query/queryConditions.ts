import type { TableName } from '../filter/columns.ts'
import type { ParsedQuery } from './parseQuery.ts'

/** What a question asks of one table, as SQL. `undefined` for `exact`: the question names nothing to look up. */
export type QueryConditions = {
  /**
   * Rows it names: hash, address, selector, block. Any of the conditions, each of which an index can lead to: one that joins two columns
   * by OR would have all of an address sorted.
   */
  readonly exact: readonly string[] | undefined
  /** Rows about what it names, of texts. */
  readonly around?: string | undefined
  /** Rows it does not exclude: route, outcome, machine. Empty: all. */
  readonly facets: readonly string[]
}

/**
 * Turns a question into conditions for one table; undefined when no row of the table can be meant (a `route:` question says
 * nothing about patterns). What it says of kinds is for the caller. Every value is hex digits, digits or letters, as `parseQuery` checked.
 */
export function queryConditions(query: ParsedQuery, table: TableName): QueryConditions | undefined {
  switch (table) {
    case 'transactions':
      return transactionConditions(query)
    case 'patterns':
      return patternConditions(query)
    case 'documents':
    case 'memories':
      return textConditions(query, table)
  }
}

function transactionConditions(query: ParsedQuery): QueryConditions {
  const facets = [
    ...when(query.svm !== undefined, `\`svm\` = ${query.svm}`),
    ...when(query.routes.length > 0, isIn('route', query.routes)),
    ...when(query.outcomes.length > 0, isIn('outcome', query.outcomes)),
  ]
  const { hashes, addresses, to, from, selectors, blocks } = query
  const exact = alternatives([
    hashes.length > 0 ? [isIn('transactionHash', hashes), isIn('blockHash', hashes)] : [],
    addresses.flatMap((address) => [isIn('to', [address]), isIn('from', [address])]),
    to.map((address) => isIn('to', [address])),
    from.map((address) => isIn('from', [address])),
    selectors.map((selector) => isIn('selector', [selector])),
    blocks.length > 0 ? [`\`blockNumber\` IN (${blocks.join(', ')})`] : [],
  ])
  return { exact, facets }
}

/** Ways to meet one condition of every side, at most; of more the last sides are joined by OR. */
const mostAlternatives = 16

/** One condition of every side that has any, in each combination; undefined where none has. */
function alternatives(sides: readonly (readonly string[])[]): readonly string[] | undefined {
  let ways: readonly (readonly string[])[] = [[]]
  for (const side of sides.filter(({ length }) => length > 0)) {
    const terms = ways.length * side.length <= mostAlternatives ? side : [`(${side.join(' OR ')})`]
    ways = ways.flatMap((way) => terms.map((term) => [...way, term]))
  }
  return ways[0]!.length > 0 ? ways.map((way) => way.join(' AND ')) : undefined
}

function patternConditions(query: ParsedQuery): QueryConditions | undefined {
  if (query.routes.length > 0) return undefined
  const counters = query.outcomes.map((outcome) => outcomeCounters[outcome])
  // `rejected` and others are not counted per pattern.
  if (counters.includes(undefined)) return undefined
  const facets = [
    ...when(query.svm !== undefined, `\`svm\` = ${query.svm}`),
    ...when(counters.length > 0, `(${counters.join(' OR ')})`),
  ]
  const contracts = [...query.addresses, ...query.to]
  const named = [
    ...when(contracts.length > 0, isIn('contract', contracts)),
    ...when(query.selectors.length > 0, isIn('selector', query.selectors)),
  ]
  const onlyTransactions = query.hashes.length > 0 || query.from.length > 0 || query.blocks.length > 0
  return { exact: named.length > 0 && !onlyTransactions ? [named.join(' AND ')] : undefined, facets }
}

/** Texts name a call only; what is about an address or a block is beside what is named. */
function textConditions(query: ParsedQuery, table: 'documents' | 'memories'): QueryConditions {
  if (table === 'memories') {
    const blocks = query.blocks.map((block) => `(\`fromBlock\` <= ${block} AND \`toBlock\` >= ${block})`)
    // What a block's epoch came to, and what was found in the block; not every pattern of the epoch.
    const exact = blocks.length > 0 ? [`\`memoryKind\` <> 'pattern' AND (${blocks.join(' OR ')})`] : undefined
    return { exact, facets: [] }
  }
  const contracts = [...query.addresses, ...query.to].filter((address) => address !== '')
  const about = contracts.length > 0 ? isIn('contract', contracts) : undefined
  if (query.selectors.length === 0) return { exact: undefined, around: about, facets: [] }
  const calls = isIn('selector', query.selectors)
  return { exact: [about === undefined ? calls : `${calls} AND ${about}`], around: about, facets: [] }
}

const outcomeCounters: Readonly<Record<string, string>> = {
  failed: '`evmFailed` > 0.0 OR `svmFailed` > 0.0',
  succeeded: '`evmSucceeded` > 0.0',
  executed: '`svmExecuted` > 0.0',
}

function when(condition: boolean, sql: string): readonly string[] {
  return condition ? [sql] : []
}

export function isIn(column: string, values: readonly string[]): string {
  const [value] = values
  return values.length === 1
    ? `\`${column}\` = '${value}'`
    : `\`${column}\` IN (${values.map((each) => `'${each}'`).join(', ')})`
}
