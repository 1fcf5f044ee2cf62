import { setTimeout as delay } from 'node:timers/promises'
import { HarnessError } from '../errors.ts'
import type { Instance } from '../instance/types.ts'
import type { Sidecar, SidecarStatus } from './startSidecar.ts'

const pollMs = 20

/** What the harness does with a sidecar: all of it by its HTTP port. */
export function sidecarHand(
  { name, logs, state, died }: Pick<Instance, 'name' | 'logs' | 'state' | 'died'>,
  httpUrl: string,
): Pick<Sidecar, 'get' | 'status' | 'untilDurable'> {
  let hasDied = false
  void died.then(() => (hasDied = true))
  const tail = () => logs().slice(-2000).trim()
  const get = async (path: string) => {
    const { response, text } = await ask(path).catch((error: Error) => {
      const cause = error.cause instanceof Error ? error.cause.message : error.message
      throw new HarnessError(
        'INSTANCE_UNREACHABLE',
        `expected ${name}, which is ${state()}, to answer GET ${path}, got ${cause}: ${tail()}`,
        { cause: error },
      )
    })
    const isJson = response.headers.get('content-type')?.includes('json') === true
    return { status: response.status, body: isJson ? (JSON.parse(text) as unknown) : text }
  }
  const ask = async (path: string) => {
    const response = await fetch(`${httpUrl}${path}`, { signal: AbortSignal.timeout(30_000) })
    return { response, text: await response.text() }
  }
  const status = async () => (await get('/status')).body as SidecarStatus
  return {
    get,
    status,
    untilDurable: async (block, timeoutMs = 60_000) => {
      const limit = performance.now() + timeoutMs
      let last: SidecarStatus | undefined
      while (performance.now() < limit) {
        // It may be starting, or standing still.
        last = await status().catch(() => last)
        if (last?.durable?.hash === block.hash) return last
        // Who stopped it may be about to start it; who died will not come back.
        if (hasDied && state() === 'stopped')
          throw new HarnessError(
            'INSTANCE_DIED',
            `expected ${name} to have ${block.hash} durable, it died: ${tail()}`,
          )
        await delay(pollMs)
      }
      throw new HarnessError(
        'SIDECAR_BEHIND',
        `expected ${name} to have ${block.hash} durable within ${timeoutMs} ms, it has ${JSON.stringify(last?.durable)}: ${tail()}`,
      )
    },
  }
}
