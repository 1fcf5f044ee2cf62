import { type ServiceError, status } from '@grpc/grpc-js'
import { ExExError, type ExExErrorCode, isExExErrorCode } from '../errors.ts'
import type { ErrorFrame } from '../frames.ts'

/** Statuses whose cause a retry cannot remove. Everything else is a passing trouble. */
const codesByStatus: Partial<Record<number, ExExErrorCode>> = {
  [status.UNAUTHENTICATED]: 'UNAUTHENTICATED',
  [status.PERMISSION_DENIED]: 'FORBIDDEN',
  [status.UNIMPLEMENTED]: 'NOT_AN_EXEX_SERVER',
  [status.FAILED_PRECONDITION]: 'RESYNC',
  [status.INVALID_ARGUMENT]: 'BAD_REQUEST',
  [status.OUT_OF_RANGE]: 'HISTORY_PRUNED',
  [status.RESOURCE_EXHAUSTED]: 'FRAME_TOO_LARGE',
  [status.DATA_LOSS]: 'DATA_LOSS',
}

/** What gRPC says of a call that ended. */
export function fromStatus(error: ServiceError): ExExError {
  // A code of ours may lead the details of a call without a stream.
  const named = /^([A-Z_]+): /.exec(error.details)?.[1]
  const code =
    named !== undefined && isExExErrorCode(named) ? named : (codesByStatus[error.code] ?? 'UNAVAILABLE')
  return new ExExError(code, {
    where: 'call',
    expected: 'the server to go on',
    actual: `${status[error.code]} ${error.details}`,
    cause: error,
  })
}

/** What the server said before it closed the stream. */
export function fromErrorFrame(frame: ErrorFrame): ExExError {
  const code = isExExErrorCode(frame.code) ? frame.code : 'UNAVAILABLE'
  return new ExExError(code, {
    where: 'server',
    expected: frame.expected || 'the server to go on',
    actual: frame.actual || frame.code,
    advice: frame.message,
  })
}
