import { DocumentError } from '../documents/documentError.ts'
import type { DocumentAdded, DocumentInput, DocumentSummary } from '../documents/types.ts'
import { EmbedderError } from '../embed/embedderError.ts'
import { FilterError, QueryError, VectorStoreError } from '../errors.ts'
import type { NeighbourAnswer, NeighbourRequest } from '../graph/types.ts'
import type { VectorStoreSettings } from '../settings.ts'
import type {
  Call,
  ContextAnswer,
  MaintenanceEvent,
  PatternProfile,
  SearchRequest,
  VectorEntry,
  VectorStats,
} from '../types.ts'

/**
 * What can be asked of the store's process: argument and answer of each call. `open` comes first but for `load`,
 * which answers once there is somebody to open it; `warm` answers once questions are answered as fast as ever; after `retire` the folder is another's to
 * write, and questions are answered until `close`, which comes last.
 */
export type StoreCalls = {
  load: { argument: undefined; answer: undefined }
  open: { argument: Omit<VectorStoreSettings, 'process'>; answer: undefined }
  warm: { argument: undefined; answer: undefined }
  retire: { argument: undefined; answer: undefined }
  apply: { argument: readonly VectorEntry[]; answer: undefined }
  patternsAt: { argument: bigint; answer: readonly PatternProfile[] }
  search: { argument: SearchRequest; answer: ContextAnswer }
  neighbours: { argument: NeighbourRequest; answer: NeighbourAnswer }
  addDocument: { argument: DocumentInput; answer: DocumentAdded }
  documents: { argument: undefined; answer: readonly DocumentSummary[] }
  removeDocument: { argument: string; answer: DocumentSummary }
  callNames: { argument: readonly Call[]; answer: readonly (string | undefined)[] }
  stats: { argument: undefined; answer: VectorStats }
  close: { argument: undefined; answer: undefined }
}
export type StoreCall = keyof StoreCalls

/** To the process. Messages are cloned structurally: bigints and undefined arrive as they are. */
export type StoreRequest = {
  [Call in StoreCall]: {
    readonly id: number
    readonly call: Call
    readonly argument: StoreCalls[Call]['argument']
  }
}[StoreCall]

/** How the process is, with every answer. */
export type ProcessState = {
  /** Resident bytes, with those of processes that work for it. */
  readonly rssBytes: number
  /** Of its own those that are no mapped files, nor vectors searched in memory: they alone grow for nothing. */
  readonly ownBytes: number
  /** True while a compaction or the building of an index is under way: what is not done is lost when the process ends. */
  readonly isMaintaining: boolean
}

/** From the process. */
export type StoreMessage =
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown; readonly state: ProcessState }
  | { readonly kind: 'failure'; readonly id: number; readonly error: SentError; readonly state: ProcessState }
  | { readonly kind: 'log'; readonly line: string }
  | { readonly kind: 'maintenance'; readonly event: MaintenanceEvent }

/** An error in pieces: a clone would lose its class. The cause stays behind, its text is in the message. */
export type SentError =
  | {
      readonly type: 'store'
      readonly code: VectorStoreError['code']
      readonly message: string
      readonly facts: VectorStoreError['facts']
    }
  | { readonly type: 'query'; readonly code: QueryError['code']; readonly message: string }
  | { readonly type: 'filter'; readonly problem: string; readonly position: number }
  | { readonly type: 'document'; readonly code: DocumentError['code']; readonly message: string }
  | {
      readonly type: 'embedder'
      readonly code: EmbedderError['code']
      readonly message: string
      readonly facts: EmbedderError['facts']
      readonly mayPass: boolean
      readonly retryAfterMs: number | undefined
    }
  | { readonly type: 'other'; readonly message: string; readonly stack: string | undefined }

export function sendableError(error: unknown): SentError {
  if (error instanceof VectorStoreError) {
    const { code, message, facts } = error
    return { type: 'store', code, message, facts }
  }
  if (error instanceof QueryError) return { type: 'query', code: error.code, message: error.message }
  if (error instanceof FilterError)
    return { type: 'filter', problem: error.problem, position: error.position }
  if (error instanceof DocumentError) return { type: 'document', code: error.code, message: error.message }
  if (error instanceof EmbedderError) {
    const { code, message, facts, mayPass, retryAfterMs } = error
    return { type: 'embedder', code, message, facts, mayPass, retryAfterMs }
  }
  return error instanceof Error
    ? { type: 'other', message: error.message, stack: error.stack }
    : { type: 'other', message: String(error), stack: undefined }
}

/** The error as it was thrown in the other process, of its class. */
export function receivedError(sent: SentError): Error {
  switch (sent.type) {
    case 'store':
      return new VectorStoreError(sent.code, sent.message, { facts: sent.facts })
    case 'query':
      return new QueryError(sent.code, sent.message)
    case 'filter':
      return new FilterError(sent.problem, sent.position)
    case 'document':
      return new DocumentError(sent.code, sent.message)
    case 'embedder':
      return new EmbedderError(sent.code, sent.message, sent)
    case 'other':
      return Object.assign(new Error(sent.message), sent.stack === undefined ? {} : { stack: sent.stack })
  }
}
