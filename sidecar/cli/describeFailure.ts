import { ConfigError, formatConfigProblems } from '#config'
import { DocumentError, EmbedderError, VectorStoreError } from '#vector'
import { HttpListenError } from '../api/httpServer.ts'
import { ExExError } from '../exex/errors.ts'
import { ListenError } from '../exex/server/listenError.ts'
import { GapError, ReorgTooDeepError } from '../notification/errors.ts'
import { SecretFileError } from '../secretFile.ts'
import { StoreError, UndoTooDeepError } from '../watermark/errors.ts'
import { SidecarUnreachableError } from './askSidecar.ts'
import { NoDataError } from './context.ts'
import { DocumentFileError, DocumentsUsageError } from './documents.ts'
import { exitCodes } from './exitCodes.ts'
import { HarnessMissingError } from './loadHarness.ts'

// Loaded only when something failed: the families bring most of the program with them.

const families: readonly (readonly [new (...args: never[]) => Error, number])[] = [
  [ConfigError, exitCodes.usage],
  [HttpListenError, exitCodes.usage],
  [SecretFileError, exitCodes.usage],
  [ListenError, exitCodes.usage],
  [UndoTooDeepError, exitCodes.chain],
  [StoreError, exitCodes.store],
  [VectorStoreError, exitCodes.store],
  [ReorgTooDeepError, exitCodes.chain],
  [GapError, exitCodes.node],
  [ExExError, exitCodes.node],
  [SidecarUnreachableError, exitCodes.node],
  [NoDataError, exitCodes.store],
  [DocumentError, exitCodes.usage],
  [EmbedderError, exitCodes.usage],
  [DocumentFileError, exitCodes.usage],
  [DocumentsUsageError, exitCodes.usage],
  [HarnessMissingError, exitCodes.usage],
]

/** The exit code an error stands for, by its family; a RESYNC of the wire is the chain's doing, not the node's. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof ExExError && error.code === 'RESYNC') return exitCodes.chain
  // The harness is loaded by two commands only, so its errors are told by code.
  if (/^(REPLAY_FILE|REPLAY_OPTIONS|DEVNET_OPTIONS|EVALUATE_OPTIONS)$/.test(codeOf(error)))
    return exitCodes.usage
  // An endpoint that is away is no fault of the configuration.
  if (error instanceof EmbedderError && error.mayPass) return exitCodes.failed
  return families.find(([family]) => error instanceof family)?.[1] ?? exitCodes.failed
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
