import { status } from '@grpc/grpc-js'

/**
 * Everything that can go wrong on the wire, by code. `fatal`: trying again with the same settings cannot help, so a
 * client never does. `status`: the gRPC status a server closes the stream with.
 */
export const exExErrorCodes = {
  // The peer, or something between, broke the contract: what arrived is not trusted and nothing of it is applied.
  DATA_LOSS: { fatal: false, status: status.DATA_LOSS },
  MALFORMED: { fatal: false, status: status.INVALID_ARGUMENT },
  // The two do not belong together.
  VERSION_MISMATCH: { fatal: true, status: status.FAILED_PRECONDITION },
  CHAIN_MISMATCH: { fatal: true, status: status.FAILED_PRECONDITION },
  GENESIS_MISMATCH: { fatal: true, status: status.FAILED_PRECONDITION },
  PROFILE_UNAVAILABLE: { fatal: true, status: status.FAILED_PRECONDITION },
  NOT_AN_EXEX_SERVER: { fatal: true, status: status.UNIMPLEMENTED },
  UNAUTHENTICATED: { fatal: true, status: status.UNAUTHENTICATED },
  FORBIDDEN: { fatal: true, status: status.PERMISSION_DENIED },
  // What was asked for cannot be had.
  BAD_CONSUMER_ID: { fatal: true, status: status.INVALID_ARGUMENT },
  BAD_REQUEST: { fatal: true, status: status.INVALID_ARGUMENT },
  // An acknowledgement above what was sent, or of a block that never was in this stream.
  BAD_ACK: { fatal: true, status: status.INVALID_ARGUMENT },
  HISTORY_PRUNED: { fatal: true, status: status.OUT_OF_RANGE },
  RESYNC: { fatal: true, status: status.FAILED_PRECONDITION },
  FENCED: { fatal: true, status: status.ABORTED },
  // A gap the official service cannot fill.
  GAP: { fatal: true, status: status.DATA_LOSS },
  // Passing troubles.
  FRAME_TOO_LARGE: { fatal: false, status: status.RESOURCE_EXHAUSTED },
  CHAIN_MOVED: { fatal: false, status: status.ABORTED },
  SESSION_OPEN: { fatal: false, status: status.ABORTED },
  SILENCE: { fatal: false, status: status.DEADLINE_EXCEEDED },
  GOING_AWAY: { fatal: false, status: status.UNAVAILABLE },
  UNAVAILABLE: { fatal: false, status: status.UNAVAILABLE },
} as const

export type ExExErrorCode = keyof typeof exExErrorCodes

export const isExExErrorCode = (code: string): code is ExExErrorCode => Object.hasOwn(exExErrorCodes, code)

/** Facts of a failure: where it was seen, what was expected there, what came, and what to do about it. */
export type ExExErrorFacts = {
  readonly where: string
  readonly expected: string
  readonly actual: string
  readonly advice?: string
  readonly cause?: unknown
}

/** A failure of the wire, on either end. `fatal` says whether a retry with the same settings could succeed. */
export class ExExError extends Error {
  override readonly name: string = 'ExExError'
  readonly code: ExExErrorCode
  readonly where: string
  readonly expected: string
  readonly actual: string

  constructor(code: ExExErrorCode, facts: ExExErrorFacts) {
    const advice = facts.advice === undefined ? '' : ` ${facts.advice}`
    super(`${facts.where}: expected ${facts.expected}, got ${facts.actual}.${advice}`, { cause: facts.cause })
    this.code = code
    this.where = facts.where
    this.expected = facts.expected
    this.actual = facts.actual
  }

  get fatal(): boolean {
    return exExErrorCodes[this.code].fatal
  }
}

/** Bytes that do not have the form they should: names the field. */
export class WireError extends ExExError {
  override readonly name = 'WireError'
  readonly field: string

  constructor(field: string, expected: string, actual: string, cause?: unknown) {
    super('MALFORMED', { where: field, expected, actual, cause })
    this.field = field
  }
}

/** Thrown by a source asked for blocks it no longer has. */
export class HistoryPrunedError extends ExExError {
  override readonly name = 'HistoryPrunedError'
  readonly oldestBlock: bigint

  constructor(requested: bigint, oldestBlock: bigint) {
    super('HISTORY_PRUNED', {
      where: 'history',
      expected: `a block at or above ${oldestBlock}, the oldest that can be served`,
      actual: `block ${requested}`,
      advice: 'Attach to a node with older history, or start at a later block.',
    })
    this.oldestBlock = oldestBlock
  }
}
