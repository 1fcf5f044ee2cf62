import type { Registry } from 'prom-client'
import type {
  CachedStore,
  Call,
  ContextAnswer,
  DocumentAdded,
  DocumentInput,
  DocumentSummary,
  EmbeddingStats,
  NeighbourAnswer,
  NeighbourRequest,
  WarmResult,
} from '#vector'
import type { FindingsView } from '../findings/mountFindings.ts'
import type { FindingKind, Impact } from '../findings/types.ts'
import type { BlockRef } from '../notification/types.ts'
import type { Decision } from '../router/types.ts'
import type { Status } from '../status.ts'
import type { SvmAccount } from '../svm/types.ts'

/** A condition people must know of. `fatal`: applying has stopped for good, and what is stored may not be current. */
export type Problem = {
  readonly code: string
  readonly message: string
  readonly fatal: boolean
}

/** What happened to the chain, for `/events`. */
export type ChainEvent = BlockEvent | FindingEvent

/** What was noticed in a block applied; it comes right after that. */
export type FindingEvent = {
  readonly type: 'finding'
  readonly block: BlockRef
  readonly kind: FindingKind
  readonly impact: Impact
  /** 0 to 100. */
  readonly risk: number
  readonly summary: string
  /** Hashes of those concerned. */
  readonly transactions: readonly string[]
}

export type BlockEvent = {
  readonly type: 'applied' | 'undone' | 'durable' | 'acknowledged'
  readonly block: BlockRef
  /** Of blocks applied: Unix milliseconds (fractional) when the server had it from the node, and when it was here whole. */
  readonly nodeTimeMs?: number
  readonly receivedTimeMs?: number
}

/** A decision as the doors show it: with its SVM outcome, and whether its block is canonical. */
export type DecisionView = Decision & {
  readonly canonical: boolean
  readonly outcomes: readonly { item: number; status: string; reason: string | null; computeUnits: number }[]
}

export type AccountView = { readonly account: SvmAccount; readonly block: BlockRef }

export type UndoneView = { readonly block: BlockRef; readonly replacedBy: BlockRef | undefined }

export type ContextRequest = {
  readonly query: string
  readonly limit?: number | undefined
  /** SQL condition over the tables' columns. */
  readonly filter?: string | undefined
  readonly tokens?: number | undefined
}

export type CacheView = Pick<CachedStore, 'getCacheStats' | 'invalidateCache'> & {
  /** Asks questions so that their answers are there; the configuration's limits where one names none. */
  warm(requests: readonly ContextRequest[]): Promise<WarmResult>
}

export type DocumentsView = {
  list(): Promise<readonly DocumentSummary[]>
  add(document: DocumentInput): Promise<DocumentAdded>
  remove(id: string): Promise<DocumentSummary>
  /** Whose vectors they have, and how far they are embedded again. */
  embedding(): Promise<EmbeddingStats>
  /** Signatures of calls as documents have them; undefined where none does. */
  callNames(calls: readonly Call[]): Promise<readonly (string | undefined)[]>
}

/** All that the doors may see of a running sidecar. */
export type SidecarView = FindingsView & {
  status(): Status
  problems(): readonly Problem[]
  /** true only when connected and everything the node has is applied. `why` says what is missing. */
  readiness(): { readonly ready: boolean; readonly why: string | undefined }
  readonly metrics: Registry
  context(request: ContextRequest): Promise<ContextAnswer>
  /** What is around an entity of the graph. Throws `QueryError` for what was asked. */
  neighbours(request: NeighbourRequest): Promise<NeighbourAnswer>
  /** What people added to be searched; throws what the vector store throws. */
  readonly documents: DocumentsView
  /** Remembered answers; absent where the configuration does without. */
  readonly cache?: CacheView | undefined
  /** Newest first. */
  decisions(limit: number): readonly DecisionView[]
  /** Canonical first. */
  decisionsOf(transactionHash: `0x${string}`): readonly DecisionView[]
  /** Undone blocks still kept, newest first, each with the canonical block at its height now. */
  undone(limit: number): readonly UndoneView[]
  account(pubkey: Uint8Array): AccountView | undefined
  /** Calls the listener for every event from now on; returns the unsubscribe function. */
  listen(listener: (event: ChainEvent) => void): () => void
}
