import { QueryError } from '../errors.ts'
import { itemKinds } from '../types.ts'
import { escapeText } from './escapeText.ts'
import { knownCalls } from './knownCalls.ts'
import { decodeKey } from './solanaKey.ts'

/** What a question says, by kind. Lists are alternatives; different kinds are asked together. */
export type ParsedQuery = {
  /** 32-byte values: of a transaction or a block. */
  readonly hashes: readonly string[]
  /** Addresses on either side of a transaction, or a pattern's contract. */
  readonly addresses: readonly string[]
  readonly to: readonly string[]
  readonly from: readonly string[]
  /** Selectors given in digits, and those meant by a word. The former are looked up exactly, the latter only compared. */
  readonly selectors: readonly string[]
  readonly wordSelectors: readonly string[]
  /** Keys of programs and of SVM accounts, 0x and 64 digits; from base58. */
  readonly keys: readonly string[]
  readonly blocks: readonly bigint[]
  readonly routes: readonly string[]
  readonly outcomes: readonly string[]
  readonly finality: readonly string[]
  readonly kinds: readonly string[]
  readonly svm: boolean | undefined
  /** Everything that is no `name:value`, hex digits, filler or kind, in order: what texts are searched for. */
  readonly words: readonly string[]
  /** Words that say nothing by themselves: only names and texts can tell. */
  readonly open: readonly string[]
  /** The outcomes are said by words alone, which may mean something else. */
  readonly hasWordOutcomes: boolean
}

/** Longest question, in bytes of UTF-8. */
export const queryBytes = 8192

/** Alternatives of one kind at most: a pasted list must not become a query that takes minutes. */
const alternatives = 64
/** Words at most: a pasted page is no question. */
const mostWords = 256

const fillers = new Set(
  (
    'a about after all also am an and any are around as at be been but by call called calling calls can contract could did do does ' +
    'find for from had has have how i if in into is it its just like list many me more most much my no not of often on one only or ' +
    'other our out over show should so some than that the their them then there these they this those through to tell use used uses ' +
    'was we were what when where which while who why will with would you your'
  ).split(' '),
)

const outcomeWords: Readonly<Record<string, readonly string[]>> = {
  fail: ['failed'],
  fails: ['failed'],
  revert: ['failed'],
  reverts: ['failed'],
  reverting: ['failed'],
  failed: ['failed'],
  failing: ['failed'],
  failure: ['failed'],
  failures: ['failed'],
  reverted: ['failed'],
  succeeded: ['succeeded', 'executed'],
  successful: ['succeeded', 'executed'],
  success: ['succeeded', 'executed'],
  executed: ['executed'],
  rejected: ['rejected'],
  deposited: ['deposited'],
  deposits: ['deposited'],
}

const routeWords: Readonly<Record<string, string>> = { skip: 'skip', skipped: 'skip' }

const kindWords: Readonly<Record<string, string>> = {
  pattern: 'pattern',
  patterns: 'pattern',
  document: 'document',
  documents: 'document',
  memory: 'memory',
  memories: 'memory',
  entity: 'entity',
  entities: 'entity',
  transaction: 'transaction',
  transactions: 'transaction',
  tx: 'transaction',
  txs: 'transaction',
}

/**
 * Reads a question. Parts are separated by spaces or commas, in any order and case:
 *
 * - `0x` + 64 digits: a transaction or block by hash; `0x` + 40: an address; `0x` + 8: a selector; a 32-byte key in base58: a
 *   program or an SVM account
 * - `to:0x…`, `from:0x…`, `selector:0x…`, `block:N`: the same, for one side or field
 * - `route:executeOnSvm`, `outcome:failed`, `kind:pattern`, `finality:finalized`: only such rows
 * - words: `svm`, `evm`, `failed`, `succeeded`, `executed`, `rejected`, `deposited`, `skipped`, `finalized`, `patterns`,
 *   `transactions`, `documents`, `memories`, `entities` say the same as filters; `transfer`, `swap`, `approve`, `mint` and others (`knownCalls`) ask for
 *   calls alike; `creation` for contract creations
 *
 * Rows that match the hashes, addresses, selectors and blocks given come first, then rows alike. Other words are looked for in
 * names and texts.
 * Throws `QueryError` `QUERY_TOO_LONG` above 8192 bytes, `QUERY_INVALID` for a malformed `name:value` or more than 64 of a kind.
 */
export function parseQuery(text: string): ParsedQuery {
  const bytes = Buffer.byteLength(text)
  if (bytes > queryBytes) {
    throw new QueryError(
      'QUERY_TOO_LONG',
      `query: expected at most ${queryBytes} bytes, got ${bytes}: ask for less at once`,
    )
  }
  const found = {
    hashes: new Set<string>(),
    addresses: new Set<string>(),
    to: new Set<string>(),
    from: new Set<string>(),
    selectors: new Set<string>(),
    wordSelectors: new Set<string>(),
    keys: new Set<string>(),
    blocks: new Set<bigint>(),
    routes: new Set<string>(),
    outcomes: new Set<string>(),
    finality: new Set<string>(),
    kinds: new Set<string>(),
  }
  const machines = new Set<boolean>()
  const words: string[] = []
  const open: string[] = []
  let hasFieldOutcomes = false

  for (const part of text.split(/[\s,]+/)) {
    if (part === '') continue
    const lower = part.toLowerCase()
    const colon = part.indexOf(':')
    if (colon > 0) readField(lower.slice(0, colon), part.slice(colon + 1))
    else if (/^0x[0-9a-f]{64}$/.test(lower)) found.hashes.add(lower)
    else if (/^0x[0-9a-f]{40}$/.test(lower)) found.addresses.add(lower)
    else if (/^0x[0-9a-f]{8}$/.test(lower)) found.selectors.add(lower)
    else if (!readKey(part)) {
      if (!readWord(lower)) open.push(part)
      if (!fillers.has(lower) && !Object.hasOwn(kindWords, lower)) words.push(part)
    }
  }
  if (words.length > mostWords) {
    throw new QueryError('QUERY_INVALID', `query: expected at most ${mostWords} words, got ${words.length}`)
  }
  const lists = Object.entries(found)
  const long = lists.find(([, values]) => values.size > alternatives)
  if (long) {
    throw new QueryError(
      'QUERY_INVALID',
      `query: expected at most ${alternatives} ${long[0]}, got ${long[1].size}`,
    )
  }
  return {
    hashes: [...found.hashes],
    addresses: [...found.addresses],
    to: [...found.to],
    from: [...found.from],
    selectors: [...found.selectors],
    wordSelectors: [...found.wordSelectors],
    keys: [...found.keys],
    blocks: [...found.blocks],
    routes: [...found.routes],
    outcomes: [...found.outcomes],
    finality: [...found.finality],
    kinds: [...found.kinds],
    // Both named: no restriction.
    svm: machines.size === 1 ? machines.has(true) : undefined,
    words,
    open,
    hasWordOutcomes: found.outcomes.size > 0 && !hasFieldOutcomes,
  }

  function readField(name: string, value: string): void {
    const lower = value.toLowerCase()
    if (name === 'to' || name === 'from') {
      found[name].add(digits(name, lower, 40))
    } else if (name === 'address') {
      found.addresses.add(digits(name, lower, 40))
    } else if (name === 'selector') {
      found.selectors.add(digits(name, lower, 8))
    } else if (name === 'hash' || name === 'tx') {
      found.hashes.add(digits(name, lower, 64))
    } else if (name === 'block') {
      found.blocks.add(blockNumber(value))
    } else if (name === 'route') {
      found.routes.add(identifier(name, value))
    } else if (name === 'outcome') {
      found.outcomes.add(identifier(name, lower))
      hasFieldOutcomes = true
    } else if (name === 'kind' || name === 'finality') {
      const known = name === 'kind' ? itemKinds : (['head', 'finalized'] as readonly string[])
      if (!known.includes(lower)) throw malformed(name, known.join(' or '), value)
      found[name === 'kind' ? 'kinds' : 'finality'].add(lower)
    } else {
      const names = 'to, from, address, selector, hash, block, route, outcome, kind, finality'
      throw new QueryError(
        'QUERY_INVALID',
        `query: unknown field '${escapeText(name, 40)}': use one of ${names}`,
      )
    }
  }

  function readKey(word: string): boolean {
    const key = /^[1-9A-HJ-NP-Za-km-z]{32,44}$/.test(word) ? decodeKey(word) : undefined
    if (key !== undefined) found.keys.add(key)
    return key !== undefined
  }

  function readWord(word: string): boolean {
    if (fillers.has(word)) return true
    if (word === 'svm' || word === 'evm') machines.add(word === 'svm')
    else if (word === 'finalized') found.finality.add('finalized')
    else if (word === 'creation' || word === 'creations') found.to.add('')
    else if (Object.hasOwn(outcomeWords, word))
      for (const outcome of outcomeWords[word]!) found.outcomes.add(outcome)
    else if (Object.hasOwn(routeWords, word)) found.routes.add(routeWords[word]!)
    else if (Object.hasOwn(kindWords, word)) found.kinds.add(kindWords[word]!)
    else return readCall(word)
    return true
  }

  function readCall(word: string): boolean {
    const name = Object.hasOwn(knownCalls, word) ? word : word.replace(/s$/, '')
    if (!Object.hasOwn(knownCalls, name)) return false
    for (const selector of Object.values(knownCalls[name]!)) found.wordSelectors.add(selector)
    return true
  }
}

function digits(name: string, value: string, count: number): string {
  if (!new RegExp(`^0x[0-9a-f]{${count}}$`).test(value))
    throw malformed(name, `0x and ${count} hex digits`, value)
  return value
}

function blockNumber(value: string): bigint {
  if (!/^[0-9]{1,18}$/.test(value)) throw malformed('block', 'a block number', value)
  return BigInt(value)
}

function identifier(name: string, value: string): string {
  if (!/^[A-Za-z]{1,40}$/.test(value)) throw malformed(name, 'a word', value)
  return value
}

function malformed(name: string, expected: string, came: string): QueryError {
  return new QueryError(
    'QUERY_INVALID',
    `query: expected ${expected} after '${name}:', got '${escapeText(came, 80)}'`,
  )
}
