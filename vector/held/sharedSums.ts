import { setImmediate as turn } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { createSerialQueue } from '../store/serialQueue.ts'
import type { ColumnSums, SumWork, WasmMemory } from './sumColumns.ts'

/** Chunks taken here in one turn: less than 1 ms. */
const chunksATurn = 4

/** Takes sums in a thread beside this one, and in this one while it has nothing else to do: to read rows and texts, above all. */
export type SharedSums = {
  /**
   * Leaves the sums with their chunks, and resolves to what is made of them, before which no other sums are taken. Rejects when the thread
   * ends, for whatever reason; the next call starts another.
   */
  use<T>(work: SumWork, make: () => T): Promise<T>
  close(): Promise<void>
}

export function createSharedSums(memory: WasmMemory, { begin, takeNext }: ColumnSums): SharedSums {
  const queue = createSerialQueue()
  let thread: Worker | undefined
  let isClosed = false

  return {
    use: (work, make) =>
      queue.run(async () => {
        begin()
        const [beside] = await Promise.allSettled([takeBeside(work), takeHere(work)])
        if (beside.status === 'rejected') throw beside.reason
        return make()
      }),
    async close() {
      isClosed = true
      await thread?.terminate()
    },
  }

  async function takeHere(work: SumWork): Promise<void> {
    for (let isLeft = true; isLeft; ) {
      await turn()
      for (let taken = 0; isLeft && taken < chunksATurn; taken += 1) isLeft = takeNext(work)
    }
  }

  function takeBeside(work: SumWork): Promise<void> {
    if (isClosed) return Promise.reject(new Error('the search in memory is closed'))
    thread ??= start()
    const asked = thread
    return new Promise((resolve, reject) => {
      const failed = (error: unknown) => settle(() => reject(error))
      const ended = () => settle(() => reject(new Error('the thread of the search in memory has ended')))
      const taken = () => settle(resolve)
      function settle(how: () => void): void {
        asked.off('message', taken).off('error', failed).off('exit', ended)
        // Only while somebody waits for it does the thread keep the process.
        asked.unref()
        how()
      }
      asked.on('message', taken).on('error', failed).on('exit', ended)
      asked.ref()
      asked.postMessage(work)
    })
  }

  function start(): Worker {
    const started = new Worker(new URL('./scanThread.ts', import.meta.url), {
      workerData: { memory },
      execArgv: ['--disable-warning=ExperimentalWarning'],
      resourceLimits: { maxYoungGenerationSizeMb: 1 },
    })
    // Told to whoever waits for it.
    started.on('error', () => undefined)
    started.on('exit', () => {
      if (thread === started) thread = undefined
    })
    return started
  }
}
