import type { Hono } from 'hono'
import type { Logger } from 'pino'
import type { McpAccess } from './admitCaller.ts'
import type { AskDoor } from './doors.ts'

/** Largest request taken: a query is at most 8 kB, a filter 2 kB. */
const MAX_BODY_BYTES = 64 * 1024
/** Streams that wait for changes of the tools, which never change. */
const MAX_SUBSCRIPTIONS = 32

/** Streamable HTTP at `/mcp`. The protocol's code is loaded with the first request. */
export function mountMcp(app: Hono, access: McpAccess, { logger }: { readonly logger: Logger }): void {
  const ask: AskDoor = async (path, signal) => {
    const response = await app.request(path, { signal })
    return { status: response.status, body: await response.json() }
  }
  const open = async () => {
    const [{ createMcpHandler }, { createAdmission }, { createMcpServer }] = await Promise.all([
      import('@modelcontextprotocol/server'),
      import('./admitCaller.ts'),
      import('./createMcpServer.ts'),
    ])
    const handler = createMcpHandler(() => createMcpServer(ask), {
      maxRequestBodySize: MAX_BODY_BYTES,
      maxSubscriptions: MAX_SUBSCRIPTIONS,
      onerror: (error) => logger.debug({ err: error }, 'mcp request failed'),
    })
    return { handler, admit: createAdmission(access) }
  }
  let opened: ReturnType<typeof open> | undefined
  app.all('/mcp', async (c) => {
    opened ??= open()
    const { handler, admit } = await opened
    return admit(c.req.raw, remoteAddress(c.env)) ?? handler.fetch(c.req.raw)
  })
}

/** Of the server's connection; undefined where the app is asked without one. */
function remoteAddress(env: unknown): string | undefined {
  return (env as { incoming?: { socket?: { remoteAddress?: string } } } | undefined)?.incoming?.socket
    ?.remoteAddress
}
