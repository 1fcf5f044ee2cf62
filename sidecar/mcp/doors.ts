import { escapeUntrusted } from '../explain/markUntrusted.ts'

/** What a door answered: HTTP status and JSON. */
export type DoorAnswer = { readonly status: number; readonly body: unknown }

/** Asks a running sidecar one thing: a GET of a path with its query. Throws when no sidecar answers. */
export type AskDoor = (path: string, signal: AbortSignal) => Promise<DoorAnswer>

/** A door refused, or could not answer. Its words may quote what strangers chose: they are escaped. */
export class DoorError extends Error {
  override readonly name = 'DoorError'
  readonly code: string

  constructor(code: string, message: string) {
    super(escapeUntrusted(`${code}: ${message}`))
    this.code = escapeUntrusted(code)
  }
}

/** The answer's JSON. Throws `DoorError` for every status but 200 and those named. */
export async function askFor<T>(
  ask: AskDoor,
  path: string,
  signal: AbortSignal,
  also: readonly number[] = [],
): Promise<T> {
  const { status, body } = await ask(path, signal)
  if (status === 200 || also.includes(status)) return body as T
  const error = (body as { error?: { code?: unknown; message?: unknown } } | null)?.error
  throw new DoorError(
    String(error?.code ?? `HTTP_${status}`),
    String(error?.message ?? `The sidecar answered ${path} with status ${status}.`),
  )
}

/** A path with its query; what is undefined is left out. */
export function doorPath(path: string, query: Readonly<Record<string, string | number | undefined>>): string {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)] as [string, string]],
  )
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given)}`
}
