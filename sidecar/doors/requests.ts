import type { Context, MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'

export type RefusalStatus = 400 | 403 | 404 | 409 | 413 | 415 | 429 | 503

/** What every door answers where it cannot: a code for programs, and a message that says what was expected. */
export function refuse(c: Context, status: RefusalStatus, code: string, message: string): Response {
  return c.json({ error: { code, message } }, status)
}

/** A whole number from 1 to `max`, as JSON or a query string has it; undefined for anything else. */
export function readCount(value: unknown, max: number): number | undefined {
  const count = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value
  return typeof count === 'number' && Number.isInteger(count) && count >= 1 && count <= max
    ? count
    : undefined
}

/** Refuses longer bodies with 413 before they are read. */
export function limitBody(maxBytes: number): MiddlewareHandler {
  return bodyLimit({
    maxSize: maxBytes,
    onError: (c) =>
      refuse(c, 413, 'BODY_TOO_LARGE', `A body of at most ${maxBytes} bytes was expected, more came.`),
  })
}

/** The JSON object that a body is, or the refusal of what is none. */
export async function readObject(c: Context): Promise<Readonly<Record<string, unknown>> | Response> {
  let body: unknown
  try {
    body = JSON.parse(await c.req.text())
  } catch (error) {
    return refuse(c, 400, 'BAD_JSON', `The body is not JSON: ${(error as Error).message}`)
  }
  if (typeof body === 'object' && body !== null && !Array.isArray(body))
    return body as Record<string, unknown>
  return refuse(c, 400, 'BAD_JSON', 'The body must be a JSON object.')
}

/**
 * The same for what changes something: a page of another site cannot send this type unasked, so its body must be said to be JSON.
 */
export async function readChange(c: Context): Promise<Readonly<Record<string, unknown>> | Response> {
  if (!c.req.header('content-type')?.startsWith('application/json'))
    return refuse(c, 415, 'BAD_TYPE', 'The body must be sent as application/json.')
  return await readObject(c)
}
