import { setTimeout as delay } from 'node:timers/promises'
import type { Sidecar } from '../sidecar/startSidecar.ts'
import { consumersOf } from './callStreamServer.ts'

export type BoundsWatch = AsyncDisposable & {
  /** What was seen that must not be. */
  readonly problems: () => readonly string[]
  /** How often everybody answered: where it is 0, nothing was watched. */
  readonly looks: () => number
}

const pollMs = 15

/**
 * Looks again and again, while everything goes on: what the server holds acknowledged as durable is in the sidecar's
 * database, and no more bytes wait in the sidecar than it was given credit for.
 *
 * @param server `host:port` of the stream's server
 */
export function watchBounds(
  sidecar: Sidecar,
  server: string,
  { consumerId, creditBytes }: { readonly consumerId: string; readonly creditBytes: number },
): BoundsWatch {
  const ending = new AbortController()
  const problems = new Set<string>()
  let looks = 0
  const look = async () => {
    // In this order: what is durable only grows but for reorgs, which both show.
    const consumers = await consumersOf(server)
    const acknowledged = consumers.find(({ id }) => id === consumerId)?.durable
    const { durable, blocksReverted } = await sidecar.status()
    const metrics = String((await sidecar.get('/metrics')).body)
    const again = await sidecar.status()
    if (
      acknowledged &&
      again.blocksReverted === blocksReverted &&
      acknowledged.number > BigInt(durable?.number ?? 0)
    )
      problems.add(`${sidecar.name}: acknowledged a block before it was durable`)
    const queued = Number(/^monmouth_queue_most_bytes (\d+)/m.exec(metrics)?.[1] ?? 0)
    // While any credit is left, one notification may exceed it, by as much as it was.
    if (queued > 2 * creditBytes)
      problems.add(`${sidecar.name}: more bytes waited than the ${creditBytes} there was credit for`)
    looks += 1
  }
  const looking = (async () => {
    while (!ending.signal.aborted) {
      // It is down: that is what the topology is for.
      await look().catch(() => {})
      await delay(pollMs, undefined, { signal: ending.signal }).catch(() => {})
    }
  })()
  return {
    problems: () => [...problems],
    looks: () => looks,
    [Symbol.asyncDispose]: async () => {
      ending.abort()
      await looking
    },
  }
}
