/** The kinds of problem, for programs that read `config check --json`. */
export type ConfigProblemCode =
  /** The file cannot be read or is not TOML. */
  | 'bad-file'
  | 'unknown-key'
  | 'unknown-variable'
  | 'unknown-flag'
  | 'unknown-profile'
  | 'bad-value'
  /** One option twice in the same source. */
  | 'given-twice'
  /** Options that are good alone and not together. */
  | 'conflict'
  /** The command needs an option that has no value. */
  | 'missing'

/** One thing that is wrong with the configuration. Every text is safe to show: credentials are taken out. */
export type ConfigProblem = {
  readonly code: ConfigProblemCode
  /** The option, canonical where it is known; otherwise the name as it was given. */
  readonly key: string
  /** File and line, variable or flag. */
  readonly where: string
  readonly expected: string
  readonly got: string
  /** What to do. */
  readonly fix: string
}

/** The configuration cannot be used; `problems` are all that were found, never only the first. */
export class ConfigError extends Error {
  readonly code = 'CONFIG_INVALID'
  readonly problems: readonly ConfigProblem[]

  constructor(problems: readonly ConfigProblem[]) {
    super(formatConfigProblems(problems))
    this.name = 'ConfigError'
    this.problems = problems
  }
}

/** The problems as text for a terminal: a count, then three lines each. */
export function formatConfigProblems(problems: readonly ConfigProblem[]): string {
  if (problems.length === 0) return 'The configuration has no problems.'
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`
  const each = problems.map(
    ({ key, where, expected, got, fix }) =>
      `  ${key} (${where})\n    expected ${expected}, got ${got}\n    ${fix}`,
  )
  return [`The configuration has ${count}:`, ...each].join('\n')
}
