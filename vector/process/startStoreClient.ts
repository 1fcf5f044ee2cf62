import { fork } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Logger } from 'pino'
import { VectorStoreError } from '../errors.ts'
import type { MaintenanceEvent } from '../types.ts'
import {
  type ProcessState,
  receivedError,
  type StoreCall,
  type StoreCalls,
  type StoreMessage,
  type StoreRequest,
} from './messages.ts'

/** One process that holds a store, until it ends. */
export type StoreClient = {
  /** Rejects with the store's own error, or `STORE_FAILED` when the process ends before it answers. */
  call<Call extends StoreCall>(
    call: Call,
    argument: StoreCalls[Call]['argument'],
  ): Promise<StoreCalls[Call]['answer']>
  /** As told with its last answer. */
  state(): ProcessState
  hasEnded(): boolean
  /** Lets the process go, at once and whatever it does; resolves when it is gone. */
  end(): Promise<void>
}

/**
 * LanceDB works with many threads and large buffers, of which glibc's allocator keeps what was freed, for each thread apart:
 * 224 MB after 50 writes with these, 306 MB without. Elsewhere they say nothing to anyone.
 */
const allocator = {
  MALLOC_ARENA_MAX: '2',
  MALLOC_TRIM_THRESHOLD_: '131072',
  MALLOC_MMAP_THRESHOLD_: '131072',
}

type Waiting = { resolve(value: never): void; reject(error: Error): void }

/**
 * LanceDB compacts and builds indices with as many threads as there are cores, and questions wait meanwhile: one core is left to them. What it
 * reads ahead is bounded: to read all vectors of 1 000 000 rows took 340 MB with its 2 GB, and takes 80 with this, as fast.
 */
const reading = {
  LANCE_CPU_THREADS: String(Math.max(1, availableParallelism() - 1)),
  LANCE_DEFAULT_IO_BUFFER_SIZE: String(32 * 2 ** 20),
}

/** Starts a process that loads LanceDB; nothing is opened before `open` is called. */
export function startStoreClient(
  directory: string,
  {
    logger,
    onMaintenance,
  }: { readonly logger: Logger; readonly onMaintenance: (event: MaintenanceEvent) => void },
): StoreClient {
  const child = fork(fileURLToPath(new URL('./main.ts', import.meta.url)), {
    serialization: 'advanced',
    // Not the flags of this process: an inspector's port is one process's.
    execArgv: ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=4'],
    env: { ...allocator, ...reading, ...process.env, MONMOUTH_VECTOR_LOG_LEVEL: logger.level },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  const waiting = new Map<number, Waiting>()
  let nextId = 1
  let state: ProcessState = { rssBytes: 0, ownBytes: 0, isMaintaining: false }
  let ended: VectorStoreError | undefined
  let lastWords = ''

  const gone = new Promise<void>((resolve) => {
    const finish = (how: string) => {
      ended ??= new VectorStoreError(
        'STORE_FAILED',
        `vector store: the process that holds ${directory} ended (${how}) before it answered${lastWords && `, saying: ${lastWords.trim()}`}. ` +
          'It is started again at the next call; if this repeats, look for what ends it (memory limits of the machine, signals, ' +
          'a missing LanceDB package for this platform).',
        { facts: { directory, how } },
      )
      for (const { reject } of waiting.values()) reject(ended)
      waiting.clear()
      resolve()
    }
    child.once('error', (error) => finish(error.message))
    // Once its output is read to the end as well.
    child.once('close', (code, signal) => finish(signal ?? `exit code ${code}`))
  })
  // LanceDB's own warnings, and what Node says when it dies.
  createInterface({ input: child.stderr! }).on('line', (line) => {
    lastWords = `${lastWords}${line}\n`.slice(-2_000)
    logger.debug({ line }, "the vector store's process says")
  })
  child.on('message', (message: StoreMessage) => {
    switch (message.kind) {
      case 'log':
        return passOn(logger, message.line)
      case 'maintenance':
        return onMaintenance(message.event)
      default: {
        state = message.state
        const asked = waiting.get(message.id)
        waiting.delete(message.id)
        if (message.kind === 'answer') asked?.resolve(message.value as never)
        else asked?.reject(receivedError(message.error))
      }
    }
  })

  logger.debug({ process: child.pid }, "the vector store's process was started")
  return {
    call(call, argument) {
      if (ended) return Promise.reject(ended)
      return new Promise((resolve, reject) => {
        const id = nextId++
        waiting.set(id, { resolve, reject })
        // A failure to send is the end of the process, which is told to all that wait.
        child.send({ id, call, argument } as StoreRequest, () => undefined)
      })
    },
    state: () => state,
    hasEnded: () => ended !== undefined,
    end() {
      child.kill('SIGKILL')
      return gone
    },
  }
}

type LogLine = { level: number; msg: string; time: number; pid: number; hostname: string }

/** A line of the child's log, with its facts, by the parent's logger. */
function passOn(logger: Logger, line: string): void {
  const { level, msg, time, pid, hostname, ...facts } = JSON.parse(line) as LogLine
  const name = logger.levels.labels[level]
  if (name === 'info' || name === 'warn' || name === 'error' || name === 'debug') logger[name](facts, msg)
}
