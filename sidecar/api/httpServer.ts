import type { AddressInfo } from 'node:net'
import { serve, type ServerType } from '@hono/node-server'
import type { Logger } from 'pino'
import { createApp } from './app.ts'
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

  constructor(listen: string, cause: NodeJS.ErrnoException) {
    super(
      `Cannot serve HTTP on ${listen}: ${cause.code === 'EADDRINUSE' ? 'the address is in use' : cause.message}. ` +
        'Choose another with --http HOST:PORT; port 0 takes any free one.',
      { cause },
    )
  }
}

/**
 * Serves the doors for people and agents.
 * @param listen `host:port`; port 0 is any free one
 * @throws HttpListenError
 */
export async function startHttpServer(
  view: SidecarView,
  listen: string,
  { logger }: { logger: Logger },
): Promise<HttpServer> {
  const colon = listen.lastIndexOf(':')
  const hostname = listen.slice(0, colon).replace(/^\[|\]$/g, '')
  const port = Number(listen.slice(colon + 1))
  const app = createApp(view, { logger })
  const server = await new Promise<ServerType>((resolve, reject) => {
    const starting = serve({ fetch: app.fetch, hostname, port }, () => resolve(starting))
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
