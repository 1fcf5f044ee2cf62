/** Why there is no report: by what the caller can do about it. */
export type EvaluationErrorCode =
  /** Flags that mean nothing together, or have no meaning. */
  | 'EVALUATE_OPTIONS'
  /** Blocks without a single known outcome. */
  | 'EVALUATE_NOTHING_KNOWN'
  /** The folder for the report cannot be written. */
  | 'EVALUATE_OUT'
  /** Interrupted before the end. */
  | 'EVALUATE_STOPPED'
  /** The VM did otherwise than the generator had laid out: its truth would be none. A fault of this program. */
  | 'EVALUATE_TRUTH_BROKEN'

/** An evaluation that came to nothing. The message says what was expected, what came, and what to do. */
export class EvaluationError extends Error {
  override readonly name = 'EvaluationError'
  readonly code: EvaluationErrorCode

  constructor(code: EvaluationErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}
