import type { Logger } from 'pino'
import { errorText } from '../store/failure.ts'
import type { ContextAnswer, SearchRequest, VectorStore } from '../types.ts'
import { createByteLru } from './byteLru.ts'
import { fitsPattern } from './fitsPattern.ts'
import { heapBytes } from './heapBytes.ts'
import { createLikelyQuestions } from './likelyQuestions.ts'
import { requestKey, requestOfKey } from './requestKey.ts'
import type {
  AnswerSource,
  CachedStore,
  CacheOptions,
  CacheStats,
  OptimizedExecutionResult,
} from './types.ts'

export type CacheDependencies = {
  readonly logger: Logger
  /** Told what answered each question, for metrics. */
  readonly onAnswer?: ((source: AnswerSource) => void) | undefined
  /** Unix ms. Default `Date.now`. */
  readonly now?: () => number
  /** Ms without a write after which likely questions are asked ahead. Default 20. */
  readonly settleMs?: number
}

type Held = { readonly answer: ContextAnswer; readonly madeMs: number; readonly untilMs: number }

/** Share of its life after which a likely question's answer is asked anew when it is given out. */
const refreshAfter = 0.8

/** What an entry takes beside answer and key: the map's slot, the times. */
const entryBytes = 200

/**
 * Remembers what a store answers, in memory. All writes to the store must go through what this returns, and there must be no other
 * writer.
 *
 * Everything is forgotten when a write begins and when it ends, however it ends, and what is asked in between is not kept: no answer
 * outlives a row that it was made of, nor the `asOf` and the finality that it tells. One rule for blocks and for undos alike costs
 * little, as every block makes every answer old: it changes the newest block that they name.
 */
export function createCachedStore(
  store: VectorStore,
  { bytes: limitBytes, ttlMs, negativeTtlMs, prefetch }: CacheOptions,
  { logger, onAnswer = () => undefined, now = Date.now, settleMs = 20 }: CacheDependencies,
): CachedStore {
  const counts = {
    ...{ evicted: 0, hits: 0, joined: 0, misses: 0, negative: 0, unkept: 0 },
    ...{ prefetched: 0, prefetchedUsed: 0, invalidated: 0, forgotten: 0 },
  }
  const held = createByteLru<Held>(limitBytes, () => {
    counts.evicted += 1
  })
  /** Questions under way, one for each key. An answer is kept only while its question is still here. */
  const flights = new Map<string, Promise<ContextAnswer>>()
  const likely = prefetch && createLikelyQuestions(prefetch)
  /** Keys that were asked ahead, until somebody asks for them; till then they are not asked ahead again. */
  const ahead = new Set<string>()
  let writing = 0
  let settling: NodeJS.Timeout | undefined
  let closing: Promise<void> | undefined

  // Member by member: a call that is new in `VectorStore` must be said here to read or to write.
  return {
    apply: (entries) => write(() => store.apply(entries)),
    addDocument: (document) => write(() => store.addDocument(document)),
    removeDocument: (id) => write(() => store.removeDocument(id)),
    patternsAt: store.patternsAt,
    neighbours: store.neighbours,
    documents: store.documents,
    callNames: store.callNames,
    stats: store.stats,
    rssBytes: store.rssBytes,
    search: async (request) => (await execute(request)).answer,
    executeOptimizedQuery: execute,
    async warmCache(requests) {
      const failed: { query: string; reason: string }[] = []
      for (const request of requests) {
        try {
          await answer(request, requestKey(request))
        } catch (error) {
          failed.push({ query: request.query, reason: reasonOf(error) })
        }
      }
      return { warmed: requests.length - failed.length, failed }
    },
    invalidateCache(pattern) {
      let gone = 0
      for (const key of [...held.keys(), ...flights.keys()]) {
        if (!fitsPattern(requestOfKey(key).query, pattern)) continue
        flights.delete(key)
        if (held.delete(key)) gone += 1
      }
      counts.invalidated += gone
      return gone
    },
    getCacheStats: readStats,
    changed: forget,
    close,
    [Symbol.asyncDispose]: close,
  }

  async function execute(request: SearchRequest): Promise<OptimizedExecutionResult> {
    const key = requestKey(request)
    const result = await answer(request, key)
    if (ahead.delete(key) && result.source === 'memory') counts.prefetchedUsed += 1
    // Afterwards: what gets no answer is not asked ahead.
    likely?.asked(key)
    onAnswer(result.source)
    return result
  }

  async function answer(request: SearchRequest, key: string): Promise<OptimizedExecutionResult> {
    // A closed store says so itself.
    const found = closing ? undefined : find(key)
    if (found) {
      counts.hits += 1
      if (found.answer.items.length === 0) counts.negative += 1
      const lived = (now() - found.madeMs) / (found.untilMs - found.madeMs)
      if (lived > refreshAfter && likely?.isLikely(key)) askAnew(key)
      return { answer: echo(found.answer, request), source: 'memory' }
    }
    const flight = flights.get(key)
    if (flight) {
      counts.joined += 1
      return { answer: echo(await flight, request), source: 'joined' }
    }
    counts.misses += 1
    return { answer: echo(await ask(request, key), request), source: 'store' }
  }

  function find(key: string): Held | undefined {
    const found = held.get(key)
    if (!found) return undefined
    const time = now()
    // From before it was made the clock was set back, and says nothing of its age.
    if (time >= found.madeMs && time < found.untilMs) return found
    held.delete(key)
    return undefined
  }

  function ask(request: SearchRequest, key: string): Promise<ContextAnswer> {
    const flight = fetch()
    flights.set(key, flight)
    return flight

    async function fetch(): Promise<ContextAnswer> {
      try {
        const made = freeze(await store.search(request))
        if (flights.get(key) === flight && writing === 0 && !closing) keep(key, made)
        else counts.unkept += 1
        return made
      } finally {
        if (flights.get(key) === flight) flights.delete(key)
      }
    }
  }

  function keep(key: string, made: ContextAnswer): void {
    const madeMs = now()
    const isNegative = made.items.length === 0 || made.warnings.length > 0
    const untilMs = madeMs + (isNegative ? negativeTtlMs : ttlMs)
    held.put(key, { answer: made, madeMs, untilMs }, heapBytes(made) + heapBytes(key) + entryBytes)
  }

  function askAnew(key: string): void {
    if (flights.has(key)) return
    // Nobody waits for it: what is wrong is told to the next who asks.
    ask(requestOfKey(key), key).catch((error: unknown) => {
      logger.debug({ reason: reasonOf(error) }, 'a remembered question could not be asked anew')
    })
  }

  async function write<T>(work: () => Promise<T>): Promise<T> {
    writing += 1
    forget()
    try {
      return await work()
    } finally {
      writing -= 1
      forget()
    }
  }

  function forget(): void {
    counts.forgotten += 1
    held.clear()
    flights.clear()
    if (!likely || closing) return
    // While blocks come one after the other every answer would be old before it is asked for.
    clearTimeout(settling)
    settling = setTimeout(() => void askAhead(likely.list()), settleMs)
    settling.unref()
  }

  async function askAhead(keys: readonly string[]): Promise<void> {
    for (const key of ahead) if (!likely?.isLikely(key)) ahead.delete(key)
    const { forgotten } = counts
    for (const key of keys) {
      if (closing || writing > 0 || counts.forgotten !== forgotten) return
      if (ahead.has(key) || flights.has(key) || held.peek(key)) continue
      try {
        await ask(requestOfKey(key), key)
        counts.prefetched += 1
        ahead.add(key)
      } catch (error) {
        // The store's trouble is told to those who ask it.
        logger.debug({ reason: reasonOf(error) }, 'asking ahead failed')
        return
      }
    }
  }

  function readStats(): CacheStats {
    const found = counts.hits + counts.joined
    return {
      entries: held.size(),
      bytes: held.bytes(),
      limitBytes,
      ...counts,
      hitRate: found === 0 ? 0 : found / (found + counts.misses),
    }
  }

  function close(): Promise<void> {
    clearTimeout(settling)
    closing ??= store.close()
    return closing
  }
}

/** The question as it was asked this time. */
function echo(answer: ContextAnswer, { query }: SearchRequest): ContextAnswer {
  return answer.query === query ? answer : { ...answer, query }
}

/** Answers are given to many: nobody may change one. */
function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const part of Object.values(value)) freeze(part)
  return Object.freeze(value)
}

function reasonOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : errorText(error)
}
