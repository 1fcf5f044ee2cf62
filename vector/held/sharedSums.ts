import { setImmediate as turn } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import type { ColumnSums, ScanQuestion, SumWork, WasmMemory } from './sumColumns.ts'

/** Chunks taken here in one turn: less than 1 ms. */
const chunksATurn = 4

/** Takes sums in a thread beside this one, and in this one while it has nothing else to do: to read rows and texts, above all. */
export type SharedSums = {
  /** Resolves once the thread is there. Rejects when it cannot be started. */
  start(): Promise<void>
  /**
   * Leaves the sums of rows of chunks with the chunks, and resolves to what is made of them, before which no other sums are taken. Undefined where the thread
   * is not there, and is started; rejects when it ends, for whatever reason.
   */
  use<T>(question: ScanQuestion, chunks: Int32Array, rows: Int32Array, make: () => T): Promise<T | undefined>
  close(): Promise<void>
}

export function createSharedSums(memory: WasmMemory, { begin, takeNext }: ColumnSums): SharedSums {
  /** What is under way and waits for it; undefined where nothing is. */
  let last: Promise<unknown> | undefined
  let thread: Worker | undefined
  let started: Promise<void> | undefined
  let isReady = false
  let isClosed = false

  return {
    start,
    async use(question, chunks, rows, make) {
      if (isReady) return inTurn(() => takeShared(begin(question, chunks, rows), make))
      // To be there takes it 60 ms, for which nobody waits.
      start().catch(() => undefined)
      return undefined
    },
    async close() {
      isClosed = true
      await thread?.terminate()
    },
  }

  /** At once where nothing is under way: the thread works while whoever asks goes on to what else there is to read. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = last ? last.then(work) : work()
    const settled = result.then(
      () => undefined,
      () => undefined,
    )
    const turn = settled.then(() => {
      if (last === turn) last = undefined
    })
    last = turn
    return result
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
    // Told to whoever waits for it.
    starting.on('error', () => undefined)
    starting.on('exit', () => {
      thread = undefined
      started = undefined
      isReady = false
    })
    await nextMessage(starting)
    isReady = true
  }

  async function takeShared<T>(work: SumWork, make: () => T): Promise<T> {
    const [beside] = await Promise.allSettled([takeBeside(work), takeHere(work)])
    if (beside.status === 'rejected') throw beside.reason
    return make()
  }

  async function takeHere(work: SumWork): Promise<void> {
    for (let isLeft = true; isLeft; ) {
      await turn()
      for (let taken = 0; isLeft && taken < chunksATurn; taken += 1) isLeft = takeNext(work)
    }
  }

  async function takeBeside(work: SumWork): Promise<void> {
    if (!thread) throw new Error(ended)
    const taken = nextMessage(thread)
    thread.postMessage(work)
    await taken
  }
}

const ended = 'the thread of the search in memory has ended'

/** Only while somebody waits for it does the thread keep the process. Rejects when it ends. */
async function nextMessage(thread: Worker): Promise<void> {
  thread.ref()
  const settled = Promise.withResolvers<void>()
  const failed = (error: unknown) => settled.reject(error)
  const exited = () => settled.reject(new Error(ended))
  const told = () => settled.resolve()
  thread.on('message', told).on('error', failed).on('exit', exited)
  try {
    await settled.promise
  } finally {
    thread.off('message', told).off('error', failed).off('exit', exited)
    thread.unref()
  }
}
