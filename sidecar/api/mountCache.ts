import type { Context, Hono } from 'hono'
import { limitBody, readChange, refuse } from '../doors/requests.ts'
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

  const limit = limitBody(MAX_BODY_BYTES)
  app.post('/context/cache/invalidate', limit, async (c) => {
    if (!view.cache) return noCache(c)
    const body = await readChange(c)
    if (body instanceof Response) return body
    const { pattern } = body
    if (typeof pattern !== 'string' || pattern === '')
      return refuse(c, 400, 'BAD_PATTERN', 'pattern is required: a question, with * for any text.')
    return c.json({ invalidated: view.cache.invalidateCache(pattern) })
  })

  app.post('/context/cache/warm', limit, async (c) => {
    if (!view.cache) return noCache(c)
    const body = await readChange(c)
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

function noCache(c: Context): Response {
  return refuse(c, 404, 'NO_CACHE', 'Answers are not remembered: caching.enabled is false.')
}
