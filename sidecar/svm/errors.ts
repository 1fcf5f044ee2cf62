/** Base of what the SVM stage throws. One bad transaction is never one of these: it is a `rejected` result. */
export class SvmError extends Error {
  readonly code: string
  readonly facts: Readonly<Record<string, unknown>>

  constructor(code: string, message: string, facts: Readonly<Record<string, unknown>>, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = new.target.name
    this.code = code
    this.facts = facts
  }
}

/** A block, or an undo, that does not continue the chain this executor holds. A broken invariant of the caller. */
export class ChainOrderError extends SvmError {
  constructor(facts: { expected: string; got: string; at: string }) {
    super(
      'SVM_CHAIN_ORDER',
      `${facts.at}: expected to continue at ${facts.expected}, got ${facts.got}; undo to the common ancestor first`,
      facts,
    )
  }
}

/** A stored row that cannot be what this stage wrote. */
export class StoredStateError extends SvmError {
  constructor(facts: { table: string; key: string; expected: string; got: string }, cause?: unknown) {
    super(
      'SVM_STORED_STATE',
      `stored ${facts.table} ${facts.key}: expected ${facts.expected}, got ${facts.got}; restore a checkpoint or start from an empty data folder`,
      facts,
      cause,
    )
  }
}

/** A configured program that the SVM does not take. */
export class ProgramLoadError extends SvmError {
  constructor(facts: { id: string; file: string }, cause: unknown) {
    super(
      'SVM_PROGRAM_LOAD',
      `program ${facts.id}: expected an SBF ELF file at ${facts.file}; ${cause instanceof Error ? cause.message : String(cause)}`,
      facts,
      cause,
    )
  }
}

/** Text that is not the base58 of so many bytes. */
export class Base58Error extends SvmError {
  constructor(facts: { text: string; expectedBytes: number }) {
    super('SVM_BASE58', `expected the base58 of ${facts.expectedBytes} bytes, got "${facts.text}"`, facts)
  }
}

/** An executor that cannot take back what it runs was asked to follow a chain that can still change. */
export class NotFinalizedError extends SvmError {
  constructor(facts: { executor: string; at: string }) {
    super(
      'SVM_NOT_FINALIZED',
      `${facts.at}: ${facts.executor} cannot take back what it runs; give it finalized blocks only and say so with { finalized: true }`,
      facts,
    )
  }
}
