import { type Config, writeHostPort } from '#config'

/** No sidecar answers where `http.listen` points. */
export class SidecarUnreachableError extends Error {
  override readonly name = 'SidecarUnreachableError'
  readonly code = 'SIDECAR_UNREACHABLE'

  constructor(url: string, cause: unknown) {
    super(`No sidecar answers at ${url}. Start one, or name its address with --http HOST:PORT.`, { cause })
  }
}

/**
 * One request to a running sidecar; the answer's JSON and HTTP status.
 * @param request default: GET, given up after 10 s
 */
export async function askSidecar(
  config: Config,
  path: string,
  signal: AbortSignal,
  { timeoutMs = 10_000, ...request }: RequestInit & { readonly timeoutMs?: number } = {},
): Promise<{ status: number; body: unknown }> {
  const url = `http://${writeHostPort(config.http.listen)}${path}`
  try {
    const response = await fetch(url, {
      ...request,
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    })
    return { status: response.status, body: await response.json() }
  } catch (error) {
    throw new SidecarUnreachableError(url, error)
  }
}
