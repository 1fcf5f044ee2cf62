/**
 * What remembering answers is worth: `node --expose-gc bench/vector/cache.ts [--questions N]`, 2000 by default, drawn by Zipf's law from
 * questions about recorded mainnet transactions, which are what the store holds. The store is as in the sidecar: LanceDB in a process of
 * its own. Every run asks the same questions; the store without a cache is asked a sample of them in between.
 */

import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { deserialize, serialize } from 'node:v8'
import pino from 'pino'
import { type CacheOptions, type ContextAnswer, createCachedStore, type VectorStore } from '#vector'
import { createRandom } from '../../harness/random.ts'
import { heapBytes } from '../../vector/cache/heapBytes.ts'
import { megabytes, printTable, report, spread, timed, withStore } from './measure.ts'
import { recordedEntries, recordedTransactions, zipfTrace } from './recordedQuestions.ts'

const { values } = parseArgs({ options: { questions: { type: 'string', default: '2000' } } })
const length = Number(values.questions)
const mebibyte = 2 ** 20
const perBlock = 200
const transactions = recordedTransactions()
const entries = recordedEntries(transactions, perBlock)
const trace = zipfTrace(transactions, length, createRandom(1, 'questions'))
const requestOf = (query: string) => ({ query, limit: 10, tokens: 2000 })
const logger = pino({ level: 'warn' }, pino.destination(2))
const share = (part: number, whole: number) => `${((100 * part) / Math.max(1, whole)).toFixed(1)} %`

/** Seconds between two blocks of Ethereum: as long as an answer is of use. */
const blockSeconds = 12

const defaults: CacheOptions = {
  bytes: 16 * mebibyte,
  ttlMs: 300_000,
  negativeTtlMs: 10_000,
  prefetch: undefined,
}

report(
  'questions',
  `${length}, ${new Set(trace).size} of them different; ${transactions.length} transactions`,
)
await withStore({ optimizeEvery: 100, process: { memoryBytes: 4096 * mebibyte } }, async (store) => {
  for (let row = 0; row < transactions.length; row += perBlock) await store.apply([entries.next().value!])
  await delay(2000)

  await reportBlock(store)
  await run('nothing written', defaults, Number.POSITIVE_INFINITY)
  const small = { ...defaults, bytes: 2 * mebibyte }
  await run('nothing written, 2 MiB', small, Number.POSITIVE_INFINITY)
  const prefetch = { windowSize: 100, threshold: 0.8 }
  for (const every of [100, 20]) {
    await run(`a block every ${every} questions`, defaults, every)
    await run(`a block every ${every}, asked ahead`, { ...defaults, prefetch }, every)
  }

  /** Asks the trace of a cache of its own; every 20th question also of the store itself. */
  async function run(name: string, options: CacheOptions, blockEvery: number): Promise<void> {
    // Never closed: its close is the store's, which others use after it.
    const cached = createCachedStore(store, options, { logger })
    const times: Record<string, number[]> = { uncached: [] }
    const add = (kind: string, ms: number) => {
      times[kind] ??= []
      times[kind].push(ms)
    }
    let empty = 0
    for (const [index, query] of trace.entries()) {
      if (index % blockEvery === blockEvery - 1) {
        await cached.apply([entries.next().value!])
        // A block has its time: what is asked ahead is asked in it.
        await delay(100)
      }
      const started = performance.now()
      const { source, answer } = await cached.executeOptimizedQuery(requestOf(query))
      add(source, performance.now() - started)
      if (index % 20 === 0) add('uncached', await timed(() => store.search(requestOf(query))))
      if (answer.items.length === 0) empty += 1
    }
    const {
      hitRate,
      misses,
      evicted,
      entries: kept,
      bytes,
      prefetched,
      prefetchedUsed,
    } = cached.getCacheStats()
    const ahead = `, ${prefetched} of them ahead, ${share(prefetchedUsed, prefetched)} of use`
    report(
      name,
      `hits ${share(hitRate * 100, 100)}, asked of the store ${misses + prefetched}${prefetched ? ahead : ''}, empty ${empty}; ` +
        `held at the end ${kept} in ${megabytes(bytes)}, ${evicted} had no room`,
    )
    const all = Object.entries(times).filter(([kind]) => kind !== 'uncached')
    report(`${name}: all`, spread(all.flatMap(([, list]) => list)))
    for (const [kind, list] of Object.entries(times).sort())
      report(`${name}: ${kind} (${list.length})`, fine(list))
  }
})
printTable()

/** How many answers the store gives between two blocks when it does nothing else, and the memory that they take. */
async function reportBlock(store: VectorStore): Promise<void> {
  const questions = [...new Set(zipfTrace(transactions, 50 * length, createRandom(2, 'block')))].values()
  const answers: ContextAnswer[] = []
  const end = performance.now() + 1000 * blockSeconds
  const times: number[] = []
  const asker = async () => {
    for (const query of questions) {
      const started = performance.now()
      if (started > end) return
      answers.push(await store.search(requestOf(query)))
      times.push(performance.now() - started)
    }
  }
  await Promise.all(Array.from({ length: 6 }, asker))
  const bytes = answers.reduce((sum, answer) => sum + heapBytes(answer), 0)
  report(
    `different questions, six at once, within the ${blockSeconds} s of a block`,
    `${answers.length} answers of ${megabytes(bytes)}, ${Math.round(bytes / answers.length)} B each; ${spread(times)}`,
  )
  if (!globalThis.gc) return
  const packed = answers.map((answer) => serialize(answer))
  globalThis.gc()
  const before = process.memoryUsage().heapUsed
  const copies = Array.from({ length: 5 }, () => packed.map((each): ContextAnswer => deserialize(each)))
  globalThis.gc()
  const grown = process.memoryUsage().heapUsed - before
  const counted = copies.flat().reduce((sum, answer) => sum + heapBytes(answer), 0)
  report('memory of answers as counted, of what the heap grew by', share(counted, grown))
}

/** Microseconds where milliseconds would all be 0.0. */
function fine(times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]!
  const show = (ms: number) => (ms < 1 ? `${(ms * 1000).toFixed(0)} us` : `${ms.toFixed(1)} ms`)
  return `p50 ${show(at(0.5))}, p99 ${show(at(0.99))}`
}
