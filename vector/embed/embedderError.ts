/** Why texts could not be embedded. A closed list: callers act on it. */
export const embedderCodes = [
  /** No connection, or it was cut before the answer was whole. */
  'UNREACHABLE',
  /** No whole answer in time. */
  'TIMED_OUT',
  /** 429, until the retries ended or because it asks to wait longer than we do. */
  'OVERLOADED',
  /** 5xx or 408. */
  'SERVER_FAILED',
  /** Any other status: key, model name or request are not what the endpoint takes. */
  'REFUSED',
  /** An answer that is no list of vectors, one for each text. */
  'BAD_ANSWER',
  'WRONG_DIMENSIONS',
  'ANSWER_TOO_LARGE',
  /** Too many failures one after the other: nothing is sent for a while. */
  'CIRCUIT_OPEN',
  'TEXT_TOO_LONG',
  'INVALID_OPTIONS',
] as const
export type EmbedderCode = (typeof embedderCodes)[number]

type Facts = Readonly<Record<string, string | number>>

/** Texts were not embedded. `message` says what was expected, what came, and where; it never holds the API key. */
export class EmbedderError extends Error {
  override readonly name = 'EmbedderError'
  readonly code: EmbedderCode
  readonly facts: Facts
  /** True when the same call may succeed later, with nothing changed on our side. */
  readonly mayPass: boolean
  /** How long the endpoint asked to be left alone, in ms; undefined when it did not say. */
  readonly retryAfterMs: number | undefined

  constructor(
    code: EmbedderCode,
    message: string,
    {
      facts = {},
      mayPass = false,
      retryAfterMs,
      cause,
    }: {
      readonly facts?: Facts
      readonly mayPass?: boolean
      readonly retryAfterMs?: number | undefined
      readonly cause?: unknown
    } = {},
  ) {
    super(message, { cause })
    this.code = code
    this.facts = facts
    this.mayPass = mayPass
    this.retryAfterMs = retryAfterMs
  }
}
