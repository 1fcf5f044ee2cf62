import type { Registry } from 'prom-client'
import type { ContextAnswer } from '#vector'
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
export type ChainEvent = {
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

export type ContextRequest = {
  readonly query: string
  readonly limit?: number | undefined
  /** SQL condition over the tables' columns. */
  readonly filter?: string | undefined
  readonly tokens?: number | undefined
}

/** All that the doors may see of a running sidecar. */
export type SidecarView = {
  status(): Status
  problems(): readonly Problem[]
  /** true only when connected and everything the node has is applied. `why` says what is missing. */
  readiness(): { readonly ready: boolean; readonly why: string | undefined }
  readonly metrics: Registry
  context(request: ContextRequest): Promise<ContextAnswer>
  /** Newest first. */
  decisions(limit: number): readonly DecisionView[]
  /** Canonical first. */
  decisionsOf(transactionHash: `0x${string}`): readonly DecisionView[]
  account(pubkey: Uint8Array): AccountView | undefined
  /** Calls the listener for every event from now on; returns the unsubscribe function. */
  listen(listener: (event: ChainEvent) => void): () => void
}
