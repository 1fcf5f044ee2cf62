import type { Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { ContextRequest, SidecarView } from './view.ts'

/** Questions of one call at most: they are asked one after the other, and the caller waits. */
const MAX_QUERIES = 100
const MAX_BODY_BYTES = 64 * 1024

/**
 * `/context/cache`: counts of the remembered answers. `/context/cache/invalidate` forgets those whose question fits a `pattern` (`*` is
 * any text), `/context/cache/warm` asks `queries`: texts, or objects as `/context` takes them.
 */
export function mountCache(app: Hono, view: SidecarView): void {
  app.get('/context/cache', (c) => (view.cache ? c.json(view.cache.getCacheStats()) : noCache(c)))

  const limit = bodyLimit({
    maxSize: MAX_BODY_BYTES,
    onError: (c) =>
      refuse(c, 400, 'BODY_TOO_LARGE', `A body of at most ${MAX_BODY_BYTES} bytes was expected, more came.`),
  })
  app.post('/context/cache/invalidate', limit, async (c) => {
    if (!view.cache) return noCache(c)
    const body = await readBody(c)
    if (body instanceof Response) return body
    const { pattern } = body
    if (typeof pattern !== 'string' || pattern === '')
      return refuse(c, 400, 'BAD_PATTERN', 'pattern is required: a question, with * for any text.')
    return c.json({ invalidated: view.cache.invalidateCache(pattern) })
  })

  app.post('/context/cache/warm', limit, async (c) => {
    if (!view.cache) return noCache(c)
    const body = await readBody(c)
    if (body instanceof Response) return body
    const { queries } = body
    const requests = Array.isArray(queries) && queries.length <= MAX_QUERIES ? queries.map(readRequest) : []
    if (requests.length === 0 || requests.includes(undefined)) {
      const expected = `queries must be a list of 1 to ${MAX_QUERIES} texts, or objects with query, limit, filter and tokens.`
      return refuse(c, 400, 'BAD_QUERIES', expected)
    }
    return c.json(await view.cache.warm(requests as ContextRequest[]))
  })
}

/** Numbers out of range are for the store to refuse: they come back among `failed`. */
function readRequest(given: unknown): ContextRequest | undefined {
  if (typeof given === 'string') return { query: given }
  if (typeof given !== 'object' || given === null) return undefined
  const { query, limit, filter, tokens } = given as Record<string, unknown>
  const isCount = (value: unknown) => value === undefined || typeof value === 'number'
  if (typeof query !== 'string' || !isCount(limit) || !isCount(tokens)) return undefined
  if (filter !== undefined && typeof filter !== 'string') return undefined
  return { query, limit, filter, tokens } as ContextRequest
}

/** The body's object, or the refusal of what is none. */
async function readBody(c: Context): Promise<Readonly<Record<string, unknown>> | Response> {
  // A page of another site cannot send this type unasked.
  if (!c.req.header('content-type')?.startsWith('application/json'))
    return refuse(c, 415, 'BAD_TYPE', 'The body must be sent as application/json.')
  const text = await c.req.text()
  try {
    const body: unknown = JSON.parse(text)
    if (typeof body === 'object' && body !== null) return body as Record<string, unknown>
  } catch {
    // Told below, with what is JSON and no object.
  }
  return refuse(c, 400, 'BAD_JSON', 'The body must be a JSON object.')
}

function noCache(c: Context): Response {
  return refuse(c, 404, 'NO_CACHE', 'Answers are not remembered: caching.enabled is false.')
}

function refuse(c: Context, status: 400 | 404 | 415, code: string, message: string): Response {
  return c.json({ error: { code, message } }, status)
}
