import { HarnessError } from '../errors.ts'
import type { Link } from './types.ts'

export type ToxiproxyLinkOptions = {
  /** The server's HTTP API, as the harness reaches it: `http://host:port`. */
  readonly api: string
  /** The server's name in its network. */
  readonly host: string
  /** Where the link listens, there. */
  readonly port: number
  readonly name: string
  /** `host:port` of the server that it leads to, as toxiproxy reaches it. */
  readonly target: string
}

const streams = ['upstream', 'downstream'] as const
/** As they are taken out: what others hold back must not have to pass a slow one on its way. */
const toxics = ['bandwidth', 'latency', 'timeout'] as const
type Toxic = (typeof toxics)[number]

/**
 * A link by a toxiproxy, which has no socket option for what is open already: a reset is a plain end of it, told at once. What is on its
 * way while it stands still is lost, so those connections end when it is restored. Rates are whole kilobytes, of 1000.
 *
 * @throws HarnessError `LINK_FAILED`: toxiproxy refused what it was told
 */
export async function startToxiproxyLink(options: ToxiproxyLinkOptions): Promise<Link> {
  const { api, host, port, name } = options
  const send = async (method: string, path: string, body?: object) => {
    const response = await fetch(`${api}/proxies${path}`, { method, body: JSON.stringify(body) ?? null })
    if (!response.ok)
      throw new HarnessError(
        'LINK_FAILED',
        `expected toxiproxy to take ${method} ${path} for ${name}, it answered ${response.status}: ${await response.text()}`,
      )
  }
  const update = (change: object) => send('PATCH', `/${name}`, change)
  const present = new Set<Toxic>()
  /** Both ways; without attributes it is taken out. */
  const put = async (type: Toxic, attributes?: object) => {
    const isThere = present.has(type)
    for (const stream of streams) {
      const own = `${type}_${stream}`
      if (attributes === undefined) {
        if (isThere) await send('DELETE', `/${name}/toxics/${own}`)
      } else if (isThere) await send('PATCH', `/${name}/toxics/${own}`, { attributes })
      else await send('POST', `/${name}/toxics`, { name: own, type, stream, attributes })
    }
    if (attributes === undefined) present.delete(type)
    else present.add(type)
  }
  let isCut = false
  await send('POST', '', { name, listen: `0.0.0.0:${port}`, upstream: options.target, enabled: true })
  return {
    name,
    address: `${host}:${port}`,
    set: async ({ delayMs, bytesPerSecond }) => {
      const rate = bytesPerSecond && Math.max(1, Math.round(bytesPerSecond / 1000))
      await put('bandwidth', rate === undefined ? undefined : { rate })
      await put('latency', delayMs === undefined ? undefined : { latency: delayMs, jitter: 0 })
    },
    cut: async () => {
      isCut = true
      await update({ enabled: false })
    },
    stall: () => put('timeout', { timeout: 0 }),
    // Its toxic `reset_peer` waits for the next byte, and then ends what is open no more harshly than this.
    reset: async () => {
      await update({ enabled: false })
      if (!isCut) await update({ enabled: true })
    },
    restore: async () => {
      for (const type of toxics) await put(type)
      isCut = false
      await update({ enabled: true })
    },
    lead: (upstream) => update({ upstream }),
    [Symbol.asyncDispose]: () => send('DELETE', `/${name}`),
  }
}
