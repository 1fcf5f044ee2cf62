import type { DocumentNames } from '../documents/documentNames.ts'
import { QueryError } from '../errors.ts'
import { type FilterExpression, parseFilter } from '../filter/parseFilter.ts'
import { searchWords } from '../text/searchWords.ts'
import type { SearchRequest } from '../types.ts'
import { embedQuery } from './embedQuery.ts'
import { type ParsedQuery, parseQuery } from './parseQuery.ts'

/** Most items of one answer. */
export const searchLimit = 1000

/** Reads what was asked, before anything is read. Throws `QueryError` and `FilterError`. */
export function readRequest({ query, limit, tokens, asOf, filter }: SearchRequest): {
  readonly query: ParsedQuery
  readonly filter: FilterExpression | undefined
} {
  checkRange('limit', limit, searchLimit)
  checkRange('tokens', tokens, 1_000_000)
  if (asOf !== undefined && (asOf < 0n || asOf >= 2n ** 63n)) {
    throw new QueryError('QUERY_INVALID', `query: expected asOf as a block number, got ${asOf}`)
  }
  return {
    query: parseQuery(query),
    filter: filter === undefined || filter.trim() === '' ? undefined : parseFilter(filter),
  }
}

/** A question, with what the names in documents say of its words. */
export type Question = {
  readonly query: ParsedQuery
  /** In the space of the rows; undefined when there is nothing to compare. */
  readonly vector: Float32Array | undefined
  /** What texts are searched for: words, and hex digits as words. */
  readonly words: readonly string[]
  /** Entities it names by their digits. */
  readonly entities: readonly string[]
  readonly meant: Meant
  /** Words that neither we nor any name explains. */
  readonly unknown: readonly string[]
}

/** What the words of a question stand for. */
export type Meant = {
  /** Addresses, by the titles of documents about them. */
  readonly contracts: readonly string[]
  /** Calls, by widely known words and by the names in ABIs. */
  readonly selectors: readonly string[]
  /** The share of the question's words that these, and filters, account for. */
  readonly share: number
}

/**
 * Ways of reading more into a question than its words say:
 *
 * - `expansion`: names of calls stand for their selectors, as ABIs have them
 * - `context_aware`: names that documents have for addresses stand for those
 * - `simplification`: a word that filters, and leaves no row, does not filter
 */
export const rewritings = ['expansion', 'context_aware', 'simplification'] as const
export type Rewriting = (typeof rewritings)[number]

/** Words of a title taken together at most. */
const longestName = 4

/** Reads a question with the names at hand. */
export function readQuestion(
  query: ParsedQuery,
  names: DocumentNames,
  use: readonly Rewriting[] = rewritings,
): Question {
  const selectors = new Set(query.wordSelectors)
  const explained = new Set<string>()
  if (use.includes('expansion')) {
    for (const word of query.words) {
      for (const selector of names.selectorsOf(word)) {
        selectors.add(selector)
        explained.add(word)
      }
    }
  }
  const titles = use.includes('context_aware') ? titlesIn(query, names) : { contracts: [], words: [] }
  for (const word of titles.words) explained.add(word)
  const { contracts } = titles
  const { addresses, to, from, keys, hashes } = query
  const entities = [...new Set([...addresses, ...to, ...from, ...keys])].filter((id) => id !== '')
  return {
    query,
    vector: embedQuery({ ...query, wordSelectors: [...selectors] }, contracts),
    words: [...searchWords(query.words.join(' ')), ...entities, ...query.selectors, ...hashes],
    entities,
    meant: {
      contracts,
      selectors: [...selectors],
      share:
        query.words.filter((word) => explained.has(word) || !query.open.includes(word)).length /
        (query.words.length || 1),
    },
    unknown: query.open.filter((word) => !explained.has(word)),
  }
}

/** Addresses that runs of words name by a title, the longest runs first; a word that says something else names nothing alone. */
function titlesIn(
  { words, open }: ParsedQuery,
  names: DocumentNames,
): { readonly contracts: readonly string[]; readonly words: readonly string[] } {
  const parts = words.map((word) => word.split(/[^\p{L}\p{N}]+/u).filter((part) => part !== ''))
  const isOpen = words.map((word) => open.includes(word))
  const found = new Set<string>()
  const used: string[] = []
  for (let start = 0; start < words.length; start += 1) {
    for (let length = Math.min(longestName, words.length - start); length > 0; length -= 1) {
      if (length === 1 && !isOpen[start]) break
      const contracts = names.contractsOf(parts.slice(start, start + length).flat())
      if (contracts.length === 0) continue
      for (const contract of contracts) found.add(contract)
      used.push(...words.slice(start, start + length))
      start += length - 1
      break
    }
  }
  return { contracts: [...found], words: used }
}

function checkRange(name: string, value: number, most: number): void {
  if (Number.isSafeInteger(value) && value >= 1 && value <= most) return
  throw new QueryError(
    'QUERY_INVALID',
    `query: expected ${name} as an integer from 1 to ${most}, got ${value}`,
  )
}
