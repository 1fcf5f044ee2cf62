import { type Config, writeHostPort } from '#config'

/** No sidecar answers where `http.listen` points. */
export class SidecarUnreachableError extends Error {
  override readonly name = 'SidecarUnreachableError'
  readonly code = 'SIDECAR_UNREACHABLE'

  constructor(url: string, cause: unknown) {
    super(`No sidecar answers at ${url}. Start one, or name its address with --http HOST:PORT.`, { cause })
  }
}

/** One GET at a running sidecar; the answer's JSON and HTTP status. */
export async function askSidecar(
  config: Config,
  path: string,
  signal: AbortSignal,
): Promise<{ status: number; body: unknown }> {
  const url = `http://${writeHostPort(config.http.listen)}${path}`
  let response: Response
  try {
    response = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(10_000)]) })
  } catch (error) {
    throw new SidecarUnreachableError(url, error)
  }
  return { status: response.status, body: await response.json() }
}
