/** Why the store could not be opened, written or read. A closed list: callers act on it. */
export const vectorStoreCodes = [
  'STORE_MISSING',
  'TABLE_MISSING',
  'STORE_MISMATCH',
  'STORE_DAMAGED',
  'STORE_IN_USE',
  'STORE_FAILED',
  'INVALID_ENTRY',
  'INVALID_OPTIONS',
  'PATTERNS_AHEAD',
  'READ_ONLY',
  'BUSY',
  'CLOSED',
] as const
export type VectorStoreCode = (typeof vectorStoreCodes)[number]

/** A failure of the store itself. `message` says what was expected, what came, where, and what to do. */
export class VectorStoreError extends Error {
  override readonly name = 'VectorStoreError'
  readonly code: VectorStoreCode
  readonly facts: Readonly<Record<string, string | number>>

  constructor(
    code: VectorStoreCode,
    message: string,
    options: { readonly facts?: Readonly<Record<string, string | number>>; readonly cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause })
    this.code = code
    this.facts = options.facts ?? {}
  }
}

/** A question that cannot be asked: too long, or a limit out of range. */
export class QueryError extends Error {
  override readonly name = 'QueryError'
  readonly code: 'QUERY_TOO_LONG' | 'QUERY_INVALID'

  constructor(code: 'QUERY_TOO_LONG' | 'QUERY_INVALID', message: string) {
    super(message)
    this.code = code
  }
}

/** A filter that is not in the language of `parseFilter`. `position` counts characters from 0. */
export class FilterError extends Error {
  override readonly name = 'FilterError'
  readonly code = 'FILTER_INVALID'
  readonly problem: string
  readonly position: number

  constructor(problem: string, position: number) {
    super(`filter: ${problem} (at character ${position + 1})`)
    this.problem = problem
    this.position = position
  }
}
