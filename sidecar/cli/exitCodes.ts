import { ConfigError, formatConfigProblems } from '#config'

/**
 * Exit codes by what the operator has to look at. 0 only on success; 130 and 143 after a second signal.
 */
export const exitCodes = {
  ok: 0,
  failed: 1,
  /** Flags, environment or configuration file. */
  usage: 2,
  /** The data directory: full, read-only, damaged, in use, of another chain. */
  store: 3,
  /** The node or shim: unreachable, another chain, token refused. */
  node: 4,
  /** The chain went where we cannot follow: a reorg deeper than the kept undo, or below finality. */
  chain: 5,
} as const

const codePrefixes: readonly (readonly [RegExp, number])[] = [
  [/^(STORE|IDENTITY|DATA_DIR|DISK|VECTOR|UNDO)_/, exitCodes.store],
  [/^(NODE|WIRE|EXEX|NOTIFICATION|JSONRPC|SHIM)_/, exitCodes.node],
  [/^REORG_/, exitCodes.chain],
  [/^(HTTP|CONFIG)_/, exitCodes.usage],
]

/** The exit code an error stands for, by the family of its `code`. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof ConfigError) return exitCodes.usage
  if (error instanceof Error && 'exitCode' in error && typeof error.exitCode === 'number')
    return error.exitCode
  const code = codeOf(error)
  return codePrefixes.find(([pattern]) => pattern.test(code))?.[1] ?? exitCodes.failed
}

export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'FAILED'
}

/** What a person is told. A stack only where it is our fault: an error without a code. */
export function describeError(error: unknown): string {
  if (error instanceof ConfigError) return formatConfigProblems(error.problems)
  if (!(error instanceof Error)) return String(error)
  return codeOf(error) === 'FAILED' ? (error.stack ?? error.message) : error.message
}
