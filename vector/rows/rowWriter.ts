import { Worker } from 'node:worker_threads'
import type { ConsolidationOptions, TakenIn } from '../store/consolidation.ts'
import type { RowChange } from './rowIndex.ts'

export type RowThreadOptions = ConsolidationOptions & { readonly file: string }

export type RowThreadRequest =
  | { readonly call: 'apply'; readonly change: RowChange }
  | { readonly call: 'setIndexed'; readonly block: bigint }
  | { readonly call: 'takeIn'; readonly asOf: bigint }
  | { readonly call: 'close' }

export type RowThreadReply =
  | { readonly value: TakenIn | undefined }
  | { readonly error: Error; readonly errcode: number | undefined }

/**
 * Writes the row index in a thread of its own, one call after another: an epoch's edges touch thousands of pages, which took 160 ms in
 * which no question was answered. What is written is there to be read once a call has resolved, and may be a little before. Rejects with what
 * SQLite throws.
 */
export type RowWriter = {
  apply(change: RowChange): Promise<void>
  setIndexed(block: bigint): Promise<void>
  takeIn(asOf: bigint): Promise<TakenIn>
  /** Resolves once what was called before is done; what is called after it is refused. */
  close(): Promise<void>
}

type Waiting = { readonly resolve: (value: never) => void; readonly reject: (error: Error) => void }

/** The thread is started by the first call, and by the next after it has ended by itself. */
export function createRowWriter(options: RowThreadOptions): RowWriter {
  let thread: Worker | undefined
  let waiting: Waiting[] = []
  let isClosed = false

  return {
    apply: (change) => call({ call: 'apply', change }),
    setIndexed: (block) => call({ call: 'setIndexed', block }),
    takeIn: (asOf) => call({ call: 'takeIn', asOf }),
    async close() {
      isClosed = true
      const closing = thread
      if (!closing) return
      // Not `once`, which fails where the thread does: what was asked of it is told of that.
      const gone = new Promise((resolve) => closing.once('exit', resolve))
      send(closing, { call: 'close' })
      await gone
    },
  }

  function call<T>(request: RowThreadRequest): Promise<T> {
    if (isClosed) return Promise.reject(new Error('the row index is closed'))
    thread ??= start()
    const done = new Promise<T>((resolve, reject) => waiting.push({ resolve, reject }))
    send(thread, request)
    return done
  }

  /** Only while somebody waits for it does the thread keep the process. */
  function send(to: Worker, request: RowThreadRequest): void {
    to.ref()
    to.postMessage(request)
  }

  function start(): Worker {
    const started = new Worker(new URL('./rowThread.ts', import.meta.url), {
      workerData: options,
      execArgv: ['--disable-warning=ExperimentalWarning'],
      resourceLimits: { maxYoungGenerationSizeMb: 8 },
    })
    started.on('message', (reply: RowThreadReply) => {
      const next = waiting.shift()
      if (waiting.length === 0) started.unref()
      if ('error' in reply) next?.reject(Object.assign(reply.error, { errcode: reply.errcode }))
      else next?.resolve(reply.value as never)
    })
    let failure: Error | undefined
    started.on('error', (error) => {
      failure = error instanceof Error ? error : new Error(String(error))
    })
    started.on('exit', () => {
      thread = undefined
      const left = waiting
      waiting = []
      for (const { reject } of left) reject(failure ?? new Error('the thread of the row index has ended'))
    })
    return started
  }
}
