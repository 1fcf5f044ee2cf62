import { createHash, timingSafeEqual } from 'node:crypto'
import {
  hostHeaderValidationResponse,
  localhostAllowedHostnames,
  localhostAllowedOrigins,
  originValidationResponse,
} from '@modelcontextprotocol/server'

/** Who may use `/mcp`. */
export type McpAccess = {
  /** Bearer tokens, one of which every caller must send. None: only callers on this machine are answered, without one. */
  readonly tokens: readonly string[]
}

/** Headers a proxy adds: a caller behind one is not on this machine, wherever the proxy is. */
const proxyHeaders = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'via']

/**
 * Decides who is let in: with tokens, who sends one; without, callers whose connection comes from this machine and who
 * ask for it by a name of this machine. A web page of another site is refused either way: its address may have been
 * made to lead here (DNS rebinding), but its `Host` and `Origin` stay its own.
 * @param remote address the connection comes from; undefined: unknown, and so not of this machine
 * @returns the refusal, or undefined
 */
export function createAdmission({ tokens }: McpAccess) {
  const known = tokens.map(digest)
  return (request: Request, remote: string | undefined): Response | undefined => {
    if (known.length === 0) {
      const own = localhostAllowedHostnames()
      const proxy = proxyHeaders.find((name) => request.headers.has(name))
      if (!isLoopback(remote) || proxy !== undefined) {
        return refusal(
          403,
          `Without a token only callers on this machine are answered${proxy ? ` (the header ${proxy} tells of a proxy)` : ''}: ` +
            'set mcp.token_file, and send the token as a bearer token.',
        )
      }
      return (
        hostHeaderValidationResponse(request, own) ??
        originValidationResponse(request, localhostAllowedOrigins())
      )
    }
    const given = /^Bearer +(\S+)$/i.exec(request.headers.get('authorization') ?? '')?.[1] ?? ''
    const offered = digest(given)
    let isKnown = false
    // Every one is compared, in constant time each: how long it takes tells nothing of which one nearly matched.
    for (const expected of known) if (timingSafeEqual(offered, expected)) isKnown = true
    if (!isKnown) return refusal(401, 'A bearer token that this sidecar knows was expected.')
    const host = request.headers.get('host')
    const name = host !== null && URL.canParse(`http://${host}`) ? [new URL(`http://${host}`).hostname] : []
    return originValidationResponse(request, [...localhostAllowedOrigins(), ...name])
  }
}

function isLoopback(address: string | undefined): boolean {
  const plain = address?.replace(/^::ffff:/i, '')
  return plain !== undefined && (plain === '::1' || /^127\.\d+\.\d+\.\d+$/.test(plain))
}

function refusal(status: 401 | 403, message: string): Response {
  const body = { jsonrpc: '2.0', error: { code: -32_000, message }, id: null }
  const headers: Record<string, string> = status === 401 ? { 'www-authenticate': 'Bearer' } : {}
  return Response.json(body, { status, headers })
}

const digest = (token: string): Buffer => createHash('sha256').update(token).digest()
