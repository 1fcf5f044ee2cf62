import { once } from 'node:events'
import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import type { ScannedChunk } from './columnScan.ts'
import type { ColumnSums, ScanQuestion, WasmMemory } from './sumColumns.ts'

/** Chunks taken here in one turn: less than 1 ms. */
const chunksATurn = 4
/** Turns for which the end of what the thread has begun is waited for, less than 0.1 ms of work; then somebody else has its core. */
const mostTurns = 100

/** Takes sums in a thread beside this one, and in this one while it has nothing else to do: to read rows and texts, above all. */
export type SharedSums = {
  /** Resolves once the thread is there. Rejects when it cannot be started. */
  start(): Promise<void>
  /**
   * Leaves the sums of rows of chunks with the chunks, and resolves to what is made of them, before which no other sums are taken. Undefined
   * where the thread is not there, and is started; rejects when it ends, for whatever reason.
   */
  use<T>(question: ScanQuestion, chunks: readonly ScannedChunk[], make: () => T): Promise<T | undefined>
  close(): Promise<void>
}

export function createSharedSums(memory: WasmMemory, sums: ColumnSums): SharedSums {
  let thread: Worker | undefined
  let started: Promise<void> | undefined
  let isReady = false
  let isClosed = false
  /** What is under way and waits for it; undefined where nothing is. */
  let last: Promise<unknown> | undefined

  return {
    start,
    async use(question, chunks, make) {
      if (!sums.isRoomFor(chunks.length)) return undefined
      if (isReady) return inTurn(() => take(question, chunks, make))
      // To be there takes it 60 ms, for which nobody waits.
      start().catch(() => undefined)
      return undefined
    },
    async close() {
      isClosed = true
      await thread?.terminate()
    },
  }

  function start(): Promise<void> {
    if (isClosed) return Promise.reject(new Error('the search in memory is closed'))
    started ??= startThread()
    return started
  }

  async function startThread(): Promise<void> {
    const starting = new Worker(new URL('./scanThread.ts', import.meta.url), {
      workerData: { memory },
      execArgv: ['--disable-warning=ExperimentalWarning'],
      resourceLimits: { maxYoungGenerationSizeMb: 1 },
    })
    thread = starting
    const gone = new Promise<never>((_, reject) => {
      starting.on('error', reject)
      starting.on('exit', () => {
        thread = undefined
        started = undefined
        isReady = false
        reject(new Error('the thread of the search in memory has ended'))
      })
    })
    await Promise.race([once(starting, 'message'), gone])
    isReady = true
    // It does not keep the process: whoever waits for it looks whether it is done.
    starting.unref()
  }

  /** At once where nothing is under way: the thread works while whoever asks goes on to what else there is to read. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = last ? last.then(work) : work()
    const settled = result.then(
      () => undefined,
      () => undefined,
    )
    const own = settled.then(() => {
      if (last === own) last = undefined
    })
    last = own
    return result
  }

  async function take<T>(question: ScanQuestion, chunks: readonly ScannedChunk[], make: () => T): Promise<T> {
    sums.begin(question, chunks)
    for (let idle = 0; sums.done() < chunks.length; ) {
      if (!thread) {
        // The next thread would begin with what is left.
        sums.cancel()
        throw new Error('the thread of the search in memory has ended')
      }
      await (idle < mostTurns ? turn() : delay(1))
      let taken = 0
      while (taken < chunksATurn && sums.takeNext()) taken += 1
      idle = taken > 0 ? 0 : idle + 1
    }
    return make()
  }
}
