import { setTimeout as delay } from 'node:timers/promises'
import { HarnessError } from '../errors.ts'
import { spawnTied, type TiedProcess } from '../spawnTied.ts'
import type { Instance } from './types.ts'

export type ProcessOptions = {
  readonly name: string
  readonly file: string
  /** Asked at each start. */
  readonly args: () => readonly string[]
  readonly env?: Readonly<NodeJS.ProcessEnv>
  /** Asked again and again after a start, until it is true. It gets what this start has written. */
  readonly isReady: (written: string) => boolean | Promise<boolean>
  /** How long it may take to be ready. Default 60 000. */
  readonly timeoutMs?: number
  /** How long it may take to end when asked to. Default 10 000. */
  readonly stopTimeoutMs?: number
}

const pollMs = 20
/** What of the logs is kept, characters. */
const keptLog = 4 << 20

/**
 * Starts a program and keeps it restartable at its addresses: those must be in its arguments, not chosen anew at each
 * start. It ends with this process, however that comes.
 *
 * @throws HarnessError `INSTANCE_DIED`: it ended before it was ready; `INSTANCE_NOT_READY`: not ready in time. The end
 *   of its log is in the message; nothing is left running.
 */
export async function startProcess(options: ProcessOptions): Promise<Instance> {
  const { name, timeoutMs = 60_000, stopTimeoutMs = 10_000 } = options
  let child: TiedProcess | undefined
  let ended: Promise<number | null> = Promise.resolve(null)
  let log = ''
  let written = ''
  let isPaused = false
  let isEnding = false
  const death = Promise.withResolvers<number | null>()

  const take = (chunk: Buffer) => {
    const text = chunk.toString()
    log = (log + text).slice(-keptLog)
    written = (written + text).slice(-keptLog)
  }
  const launch = () => {
    written = ''
    isEnding = false
    isPaused = false
    const started = spawnTied(options.file, options.args(), options.env)
    child = started
    started.stdout.on('data', take)
    started.stderr.on('data', take)
    const killed = () => started.kill('SIGKILL')
    process.once('exit', killed)
    ended = new Promise((resolve) => {
      started.once('error', (error) => {
        take(Buffer.from(error.message))
        resolve(null)
      })
      started.once('close', (code) => resolve(code))
    })
    void ended.then((code) => {
      process.off('exit', killed)
      if (child === started) child = undefined
      if (!isEnding) death.resolve(code)
    })
  }
  const failed = (code: 'INSTANCE_DIED' | 'INSTANCE_NOT_READY', came: string) =>
    new HarnessError(code, `expected ${name} to answer, ${came}: ${written.slice(-2000).trim()}`)
  const untilReady = async () => {
    const mine = child!
    const limit = performance.now() + timeoutMs
    for (;;) {
      if (child !== mine) throw failed('INSTANCE_DIED', 'it ended')
      if (await options.isReady(written)) return
      if (performance.now() > limit) throw failed('INSTANCE_NOT_READY', `it did not in ${timeoutMs} ms`)
      await delay(pollMs)
    }
  }
  const end = async (signal: NodeJS.Signals) => {
    const mine = child
    if (mine === undefined) return
    isEnding = true
    if (isPaused) mine.kill('SIGCONT')
    isPaused = false
    mine.kill(signal)
    const forced = setTimeout(() => mine.kill('SIGKILL'), stopTimeoutMs)
    await ended
    clearTimeout(forced)
  }
  const start = async () => {
    if (child !== undefined) return
    launch()
    try {
      await untilReady()
    } catch (error) {
      await end('SIGKILL')
      throw error
    }
  }
  await start()
  return {
    name,
    kind: 'process',
    state: () => (child === undefined ? 'stopped' : isPaused ? 'paused' : 'running'),
    start,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    pause: async () => {
      isPaused = child?.kill('SIGSTOP') ?? false
    },
    resume: async () => {
      child?.kill('SIGCONT')
      isPaused = false
    },
    logs: () => log,
    died: death.promise,
    [Symbol.asyncDispose]: () => end('SIGTERM'),
  }
}
