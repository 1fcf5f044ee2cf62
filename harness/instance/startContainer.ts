import { finished } from 'node:stream/promises'
import { setTimeout as delay } from 'node:timers/promises'
import type { ContainerRuntimeClient } from 'testcontainers'
import { HarnessError } from '../errors.ts'
import type { Instance } from './types.ts'

export type ContainerOptions = {
  readonly runtime: ContainerRuntimeClient
  readonly name: string
  /** What the engine is asked to make. Its ports on this machine must be given: ones that the engine chooses change at every start. */
  readonly spec: Parameters<ContainerRuntimeClient['container']['create']>[0]
  /** Asked again and again after a start, until it is true. It gets what this start has written. */
  readonly isReady: (written: string) => boolean | Promise<boolean>
  /** How long it may take to be ready. Default 60 000. */
  readonly timeoutMs?: number
  /** How long it may take to end when asked to; whole seconds. Default 10 000. */
  readonly stopTimeoutMs?: number
}

const pollMs = 20
/** What of the logs is kept, characters. */
const keptLog = 4 << 20
/** How long the last of the output may be behind the end of the program. */
const drainMs = 1000

/**
 * Makes a container and starts it. It stays the same one over all starts, with its addresses and its volumes; those go when it is
 * disposed of.
 *
 * @throws HarnessError `INSTANCE_DIED`: it ended before it was ready, or could not be started; `INSTANCE_NOT_READY`: not
 *   ready in time. The end of its log is in the message; nothing is left.
 */
export async function startContainer(options: ContainerOptions): Promise<Instance> {
  const { runtime, name, timeoutMs = 60_000, stopTimeoutMs = 10_000 } = options
  const refused = (cause: Error) => {
    throw new HarnessError('INSTANCE_DIED', `expected ${name} to start, the engine said: ${cause.message}`, {
      cause,
    })
  }
  const container = await runtime.container.create(options.spec).catch(refused)
  /** Of the run that goes on, if one does. */
  let ended: Promise<void> | undefined
  let log = ''
  let written = ''
  let isPaused = false
  let isEnding = false
  const death = Promise.withResolvers<number | null>()

  const launch = async () => {
    written = ''
    isEnding = false
    isPaused = false
    // Before it starts: what comes first is what is needed most.
    const output = await runtime.container.attach(container)
    output.on('data', (text: string) => {
      log = (log + text).slice(-keptLog)
      written = (written + text).slice(-keptLog)
    })
    const drained = finished(output).catch(() => {})
    await runtime.container.start(container)
    const exited: Promise<number | null> = container.wait().then(
      ({ StatusCode }) => StatusCode,
      () => null,
    )
    ended = exited.then(async (code) => {
      await Promise.race([drained, delay(drainMs, undefined, { ref: false })])
      ended = undefined
      if (!isEnding) death.resolve(code)
    })
  }
  const failed = (code: 'INSTANCE_DIED' | 'INSTANCE_NOT_READY', came: string) =>
    new HarnessError(code, `expected ${name} to answer, ${came}: ${written.slice(-2000).trim()}`)
  const untilReady = async () => {
    const mine = ended
    const limit = performance.now() + timeoutMs
    for (;;) {
      if (ended === undefined || ended !== mine) throw failed('INSTANCE_DIED', 'it ended')
      if (await options.isReady(written)) return
      if (performance.now() > limit) throw failed('INSTANCE_NOT_READY', `it did not in ${timeoutMs} ms`)
      await delay(pollMs)
    }
  }
  const resume = async () => {
    if (isPaused) await container.unpause().catch(unless(409, 500))
    isPaused = false
  }
  const end = async (how: () => Promise<unknown>) => {
    const mine = ended
    if (mine === undefined) return
    isEnding = true
    // The engine signals nothing to what is paused.
    await resume()
    await how().catch(unless(304, 404, 409))
    await mine
  }
  const kill = () => end(() => container.kill())
  const start = async () => {
    if (ended !== undefined) return
    await launch().catch(refused)
    try {
      await untilReady()
    } catch (error) {
      await kill()
      throw error
    }
  }
  const dispose = async () => {
    await kill()
    await container.remove({ force: true, v: true }).catch(unless(404, 409))
  }
  try {
    await start()
  } catch (error) {
    await dispose()
    throw error
  }
  return {
    name,
    kind: 'container',
    state: () => (ended === undefined ? 'stopped' : isPaused ? 'paused' : 'running'),
    start,
    stop: () => end(() => container.stop({ t: Math.ceil(stopTimeoutMs / 1000) })),
    kill,
    pause: async () => {
      if (ended === undefined || isPaused) return
      await container.pause()
      isPaused = true
    },
    resume,
    logs: () => log,
    died: death.promise,
    [Symbol.asyncDispose]: dispose,
  }
}

/** For answers of the engine that say that there is nothing left to do. */
export function unless(...statusCodes: readonly number[]): (error: { readonly statusCode?: number }) => void {
  return (error) => {
    if (!statusCodes.includes(error.statusCode ?? 0)) throw error
  }
}
