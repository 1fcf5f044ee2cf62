import pino from 'pino'
import { createCachedStore } from '../../../../vector/cache/createCachedStore.ts'
import type { CacheOptions } from '../../../../vector/cache/types.ts'
import type {
  ContextAnswer,
  ContextItem,
  SearchRequest,
  VectorEntry,
  VectorStore,
} from '../../../../vector/types.ts'

/** Waits at a point of a call, for whatever decides when it goes on. */
export type Point = (label: string) => Promise<unknown>

/**
 * A store that knows nothing but which state it is in: a write makes the next one somewhere between its begin and its end, and an
 * answer tells the one it is of. The state is in `asOf.number`, so that what is answered can be held against what was written.
 */
export function createModelStore(point: Point = async () => undefined) {
  let state = 0
  let isClosed = false
  const searches: SearchRequest[] = []
  const store: VectorStore = {
    async apply(entries) {
      await point('write begins')
      state += 1
      if (entries.some((entry) => entry.kind === 'finalized' && entry.number === 666n))
        throw new Error('half written')
      await point('write ends')
    },
    async search(request) {
      if (isClosed) throw Object.assign(new Error('closed'), { code: 'CLOSED' })
      searches.push(request)
      if (request.query === 'broken') throw Object.assign(new Error('no'), { code: 'QUERY_INVALID' })
      await point('answer begins')
      const number = String(state)
      await point('answer ends')
      return answerOf(request, number)
    },
    patternsAt: async () => [],
    stats: async () => ({}) as never,
    rssBytes: () => 0,
    neighbours: async () => ({}) as never,
    documents: async () => [],
    callNames: async () => [],
    async addDocument() {
      await point('write begins')
      state += 1
      return {} as never
    },
    async removeDocument() {
      await point('write begins')
      state += 1
      return {} as never
    },
    async close() {
      await point('closing')
      isClosed = true
    },
    async [Symbol.asyncDispose]() {},
  }
  return { store, searches, state: () => state, change: () => (state += 1) }
}

function answerOf({ query, tokens }: SearchRequest, number: string): ContextAnswer {
  const item = { id: number, kind: 'pattern', text: 'of the model', facts: {} } as ContextItem
  return {
    query,
    asOf: { number, hash: '0x' },
    items: query.startsWith('empty') ? [] : [item],
    budget: { tokens, used: 1, method: 'chars/3', dropped: 0 },
    warnings: query.startsWith('warned') ? ['half of it'] : [],
  }
}

export const options: CacheOptions = {
  bytes: 1e6,
  ttlMs: 1000,
  negativeTtlMs: 100,
  prefetch: undefined,
}

/** A cached model store with a clock of its own. */
export function openCached(changes: Partial<CacheOptions> = {}, point?: Point) {
  const model = createModelStore(point)
  let time = 1_000_000
  const told: string[] = []
  const cached = createCachedStore(
    model.store,
    { ...options, ...changes },
    {
      logger: pino({ level: 'silent' }),
      onAnswer: (source) => told.push(source),
      now: () => time,
      settleMs: 0,
    },
  )
  const ask = (query: string) => cached.executeOptimizedQuery({ query, limit: 10, tokens: 100 })
  return {
    ...model,
    cached,
    told,
    pass: (ms: number) => {
      time += ms
    },
    ask,
    /** What answered, and of which state. */
    brief: async (query: string) => {
      const { answer, source } = await ask(query)
      return `${source} ${answer.asOf!.number}`
    },
  }
}

const hash = `0x${'a'.repeat(64)}`
export const block = (number: number): VectorEntry => ({
  kind: 'transactions',
  block: { number: BigInt(number), hash },
  rows: [],
})
export const undo = (number: number): VectorEntry => ({
  kind: 'undo',
  blocks: [{ number: BigInt(number), hash }],
})
