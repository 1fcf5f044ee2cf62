import type { ContextAnswer, SearchRequest, VectorStore } from '../types.ts'

export type CacheOptions = {
  /** Memory of the answers. */
  readonly bytes: number
  /** How long an answer is given out, however little is written: what is not of the store (an embedder) may change. */
  readonly ttlMs: number
  /** The same for an answer that is empty or has warnings: it may be so for a reason that passes. */
  readonly negativeTtlMs: number
  /** What is asked again unasked, once a write made its answer old: undefined, nothing. */
  readonly prefetch: PrefetchOptions | undefined
}

export type PrefetchOptions = {
  /** Questions looked back on. */
  readonly windowSize: number
  /** 0 to 1: a question that came k times among them is asked ahead where k / (k + 1) is at least this. */
  readonly threshold: number
}

/** What gave an answer: memory, the same question of somebody else that was under way, or the store. */
export type AnswerSource = 'memory' | 'joined' | 'store'

export type OptimizedExecutionResult = { readonly answer: ContextAnswer; readonly source: AnswerSource }

export type WarmResult = {
  readonly warmed: number
  /** Questions that got no answer, with the code or text of what was wrong. */
  readonly failed: readonly { readonly query: string; readonly reason: string }[]
}

/** What is held now, and counts since the start. */
export type CacheStats = {
  readonly entries: number
  readonly bytes: number
  readonly limitBytes: number
  /** Taken out for lack of room. */
  readonly evicted: number
  readonly hits: number
  /** Questions that waited for the same question of somebody else. */
  readonly joined: number
  readonly misses: number
  /** Hits that were empty answers. */
  readonly negative: number
  /** Answers not kept, as something was written, or they were invalidated, while they were made. */
  readonly unkept: number
  /** Answers asked for ahead, and how many of them somebody then asked for. */
  readonly prefetched: number
  readonly prefetchedUsed: number
  readonly invalidated: number
  /** Times that everything was forgotten, as a write began or ended. */
  readonly forgotten: number
  /** Hits and joined, of all questions; 0 before the first. */
  readonly hitRate: number
}

/** A store whose answers are remembered: what it answers is what the store would. */
export type CachedStore = VectorStore & {
  /** Like `search`, and tells where the answer came from. */
  executeOptimizedQuery(request: SearchRequest): Promise<OptimizedExecutionResult>
  /** Asks, one after the other, so that the answers are there. A question that fails does not end it. */
  warmCache(requests: readonly SearchRequest[]): Promise<WarmResult>
  /**
   * Forgets answers to questions that fit a pattern as a whole, in any case: `*` stands for any text, everything else for itself.
   * Returns how many.
   */
  invalidateCache(pattern: string): number
  getCacheStats(): CacheStats
  /**
   * Must be called once the store changed what it answers without a call to it, by a job in its background. What it answers between
   * the change and this call counts as before it.
   */
  changed(): void
}
