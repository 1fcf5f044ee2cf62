import type { AddressInfo } from 'node:net'
import { type ServerType, serve } from '@hono/node-server'
import type { Logger } from 'pino'
import type { HostPort } from '#config'
import { createApp, type DoorSettings } from './app.ts'
import { isLoopbackName, refuseRebound } from './refuseRebound.ts'
import type { SidecarView } from './view.ts'

export type HttpServer = {
  /** `http://host:port`, the port as bound. */
  readonly url: string
  close(): Promise<void>
}

/** The address cannot be listened on: in use, not ours, or not permitted. */
export class HttpListenError extends Error {
  override readonly name = 'HttpListenError'
  readonly code = 'HTTP_LISTEN'

  constructor({ host, port }: HostPort, cause: NodeJS.ErrnoException) {
    super(
      `Cannot serve HTTP on ${host} port ${port}: ${cause.code === 'EADDRINUSE' ? 'the address is in use' : cause.message}. ` +
        'Choose another with --http HOST:PORT; port 0 takes any free one.',
      { cause },
    )
  }
}

/**
 * Serves the doors for people and agents. Where it listens on this machine alone, it answers to this machine's own names alone;
 * `/mcp` has rules of its own.
 * @param listen port 0 is any free one
 * @param settings default: that of `createApp`
 * @throws HttpListenError
 */
export async function startHttpServer(
  view: SidecarView,
  listen: HostPort,
  { logger }: { logger: Logger },
  settings?: DoorSettings,
): Promise<HttpServer> {
  const app = createApp(view, { logger }, settings)
  const isOwn = isLoopbackName(listen.host)
  const answer: typeof app.fetch = (request, env) => {
    const isGuarded = isOwn && new URL(request.url).pathname !== '/mcp'
    return (isGuarded ? refuseRebound(request) : undefined) ?? app.fetch(request, env)
  }
  const server = await new Promise<ServerType>((resolve, reject) => {
    const starting = serve({ fetch: answer, hostname: listen.host, port: listen.port }, () =>
      resolve(starting),
    )
    starting.once('error', (error) => reject(new HttpListenError(listen, error)))
  })
  const bound = server.address() as AddressInfo
  const host = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address
  return {
    url: `http://${host}:${bound.port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        // Event streams have no end of their own.
        if ('closeAllConnections' in server) server.closeAllConnections()
      }),
  }
}
