import fc from 'fast-check'
import pino from 'pino'
import { describe, expect, test } from 'vitest'
import { openVectorStore, type VectorEntry } from '#vector'
import { createCachedStore } from '../../../vector/cache/createCachedStore.ts'
import type { CacheOptions } from '../../../vector/cache/types.ts'
import { temporaryFolder } from '../../support/program/temporaryFolder.ts'
import { addressOf, blockEntry, blockOf, chainId, openIn, patternOf } from '../../unit/vector/support.ts'

const logger = pino({ level: 'silent' })
const options = { bytes: 1e6, ttlMs: 3_600_000, negativeTtlMs: 3_600_000, prefetch: undefined }

/** A real store with its cache over it. */
async function open(directory: string, changes: Partial<CacheOptions> = {}) {
  const store = await openIn(directory, { asyncConsolidation: false, epochBlocks: 4 })
  const cached = createCachedStore(store, { ...options, ...changes }, { logger, settleMs: 1 })
  return { store, cached }
}

const questions = [
  '',
  'transfers',
  'failed  transfers',
  'transfers failed',
  ' transfers',
  `to:${addressOf('contract 1')}`,
  `from:${addressOf('sender 2')} transactions`,
  `0x${blockOf(2).hash.slice(2)}`,
  'block:3',
  'finalized',
  'patterns',
  'nothing that is there, at all',
  'swaps of «this» kind',
]

describe('a cached store over LanceDB', () => {
  test('answers what the store does, whatever is written, undone and asked', async () => {
    type Step =
      | { readonly ask: readonly string[]; readonly limit: number; readonly filter: string | undefined }
      | { readonly apply: number; readonly rows: number }
      | { readonly undo: number; readonly redo: number }
      | { readonly patterns: number }
      | { readonly finalized: number }
      | { readonly document: number }
      | 'forget'
      | 'invalidate'
    const step: fc.Arbitrary<Step> = fc.oneof(
      {
        weight: 8,
        arbitrary: fc.record({
          ask: fc.array(fc.constantFrom(...questions), { minLength: 5, maxLength: 20 }),
          limit: fc.constantFrom(5, 20),
          filter: fc.constantFrom(undefined, '', "finality = 'head'"),
        }),
      },
      {
        weight: 3,
        arbitrary: fc.record({ apply: fc.integer({ min: 1, max: 3 }), rows: fc.nat({ max: 3 }) }),
      },
      { weight: 2, arbitrary: fc.record({ undo: fc.integer({ min: 1, max: 3 }), redo: fc.nat({ max: 3 }) }) },
      { weight: 1, arbitrary: fc.record({ patterns: fc.nat({ max: 3 }) }) },
      { weight: 1, arbitrary: fc.record({ finalized: fc.nat({ max: 3 }) }) },
      { weight: 1, arbitrary: fc.record({ document: fc.nat({ max: 2 }) }) },
      { weight: 1, arbitrary: fc.constantFrom('forget' as const, 'invalidate' as const) },
    )
    let hits = 0
    let evicted = 0
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 8, maxLength: 20 }), async (steps) => {
        await using folder = await temporaryFolder()
        // So small that some answers have no room.
        const { store, cached } = await open(folder.path, { bytes: 60_000 })
        let height = 0
        let branch = 0
        let documents: string[] = []
        const blocks = (from: number, to: number, rows: number): VectorEntry[] =>
          Array.from({ length: Math.max(0, to - from) }, (_, index) =>
            blockEntry(from + index + 1, rows, `branch ${branch}`, index % 2 ? { outcome: 'failed' } : {}),
          )
        for (const each of steps) {
          if (each === 'invalidate') cached.invalidateCache('*transfers*')
          else if (each === 'forget') {
            if (documents.length > 0) await cached.removeDocument(documents.pop()!)
          } else if ('ask' in each) {
            for (const query of each.ask) {
              const request = { query, limit: each.limit, tokens: 5000, filter: each.filter }
              expect(await cached.search(request)).toStrictEqual(await store.search(request))
            }
          } else if ('apply' in each) {
            await cached.apply(blocks(height, height + each.apply, each.rows))
            height += each.apply
          } else if ('undo' in each) {
            const depth = Math.min(each.undo, height)
            const gone = Array.from({ length: depth }, (_, index) =>
              blockOf(height - index, `branch ${branch}`),
            )
            branch += 1
            const redone = blocks(height - depth, height - depth + each.redo, 2)
            await cached.apply([{ kind: 'undo', blocks: gone }, ...redone])
            height += each.redo - depth
          } else if ('patterns' in each) {
            const upsert = [patternOf(`pattern ${each.patterns}`, height, { evmFailed: height })]
            await cached.apply([{ kind: 'patterns', boundary: BigInt(height), upsert, remove: [] }])
          } else if ('finalized' in each) {
            await cached.apply([{ kind: 'finalized', number: BigInt(Math.max(0, height - each.finalized)) }])
          } else {
            const text = `Document ${each.document} tells of transfers and swaps.`
            const added = await cached.addDocument({ title: `${each.document}`, kind: 'note', text })
            const { id } = added.document
            documents = [...documents.filter((known) => known !== id), id]
          }
        }
        const stats = cached.getCacheStats()
        hits += stats.hits
        evicted += stats.evicted
        await cached.close()
      }),
      { numRuns: 12 },
    )
    // Else nothing was compared but the store with itself.
    expect(Math.min(hits, evicted), `${hits} hits, ${evicted} evicted`).toBeGreaterThan(0)
    console.info(`${hits} hits, ${evicted} evicted`)
  })

  test('what the background takes in shows in answers that are given out', async () => {
    await using folder = await temporaryFolder()
    let tell = () => {}
    const caches = { indexCacheBytes: 2 ** 25, metadataCacheBytes: 2 ** 24 }
    const store = await openVectorStore(
      { directory: folder.path, chainId, ...caches, optimizeEvery: 1000, epochBlocks: 4 },
      { logger, onMaintenance: () => tell() },
    )
    const cached = createCachedStore(store, options, { logger })
    tell = cached.changed
    const ask = { query: 'memories', limit: 10, tokens: 5000 }
    await cached.apply(Array.from({ length: 9 }, (_, index) => blockEntry(index + 1)))
    await cached.search(ask)
    await expect.poll(async () => (await store.stats()).consolidatedTo, { timeout: 30_000 }).toBe(7n)
    expect(await cached.search(ask)).toStrictEqual(await store.search(ask))
    await cached.close()
  })

  test('what is likely is asked again once a block is in, and then answered from memory', async () => {
    await using folder = await temporaryFolder()
    const { cached, store } = await open(folder.path, { prefetch: { windowSize: 10, threshold: 0.75 } })
    const ask = { query: 'transfers', limit: 5, tokens: 500 }
    await cached.apply([blockEntry(1)])
    for (let count = 0; count < 3; count += 1) await cached.search(ask)
    await cached.apply([blockEntry(2)])
    await expect.poll(() => cached.getCacheStats().prefetched).toBe(1)
    const { answer, source } = await cached.executeOptimizedQuery(ask)
    expect(source).toBe('memory')
    expect(answer.asOf?.number).toBe('2')
    expect(answer).toStrictEqual(await store.search(ask))
    await cached.close()
  })
})
