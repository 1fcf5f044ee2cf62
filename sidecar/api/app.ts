import type { Context } from 'hono'
import { Hono } from 'hono'
import type { Logger } from 'pino'
import { limitBody, readCount, readObject, refuse } from '../doors/requests.ts'
import { mountExplain } from '../explain/mountExplain.ts'
import type { ChatEndpoint } from '../explain/streamChat.ts'
import { mountFindings } from '../findings/mountFindings.ts'
import type { McpAccess } from '../mcp/admitCaller.ts'
import { mountMcp } from '../mcp/mountMcp.ts'
import { toRefJson } from '../status.ts'
import { decodeBase58, encodeBase58 } from '../svm/base58.ts'
import { eventStream } from './eventStream.ts'
import { mountCache } from './mountCache.ts'
import { mountDocuments } from './mountDocuments.ts'
import { mountGraph } from './mountGraph.ts'
import { mountPage } from './page/mountPage.ts'
import type { DecisionView, SidecarView } from './view.ts'

/** Largest request body taken: a query is at most 8 kB. */
const MAX_BODY_BYTES = 64 * 1024
const MAX_DECISIONS = 1_000

/** What the doors are told beside the view. */
export type DoorSettings = {
  readonly mcp: McpAccess
  /** Words explanations; undefined: the facts are all there is. */
  readonly chat: ChatEndpoint | undefined
}

/**
 * The HTTP surface. Every answer is JSON but `/metrics` (Prometheus text), `/events` (JSON lines), the page at `/ui` and
 * the event streams of `/explain` and `/mcp`.
 * @param settings default: `/mcp` for this machine alone, no chat endpoint
 */
export function createApp(
  view: SidecarView,
  { logger }: { logger: Logger },
  settings: DoorSettings = { mcp: { tokens: [] }, chat: undefined },
): Hono {
  const app = new Hono()

  app.get('/', (c) =>
    c.json({
      name: 'monmouth',
      doors: [
        '/health',
        '/ready',
        '/status',
        '/metrics',
        '/context?query=',
        '/context/cache',
        '/documents',
        '/documents/embedding',
        '/decisions?limit=',
        '/decisions/:hash',
        '/accounts/:pubkey',
        '/explain/:hash',
        '/similar/:name?limit=',
        '/reorgs?limit=',
        '/neighbours/:id?hops=&fanout=&kinds=',
        '/findings?limit=&kind=',
        '/advice',
        '/mcp',
        '/ui/',
        '/events',
      ],
    }),
  )
  app.get('/health', (c) => {
    const problems = view.problems()
    return c.json({ healthy: problems.length === 0, problems }, problems.length === 0 ? 200 : 503)
  })
  app.get('/ready', (c) => {
    const { ready, why } = view.readiness()
    return c.json({ ready, why: why ?? null }, ready ? 200 : 503)
  })
  app.get('/status', (c) => c.json(view.status()))
  app.get('/metrics', async (c) =>
    c.body(await view.metrics.metrics(), 200, { 'content-type': view.metrics.contentType }),
  )
  app.get('/events', () => eventStream(view))

  // Once applying has stopped for good the stored chain may not be the node's: nothing of it is served as current.
  const current = async (c: Context, next: () => Promise<void>) => {
    const fatal = view.problems().find((problem) => problem.fatal)
    if (fatal) return refuse(c, 503, fatal.code, fatal.message)
    await next()
  }
  for (const path of [
    '/context',
    '/decisions',
    '/decisions/*',
    '/accounts/*',
    '/explain/*',
    '/similar/*',
    '/reorgs',
    '/neighbours/*',
    '/findings',
    '/advice',
  ])
    app.use(path, current)

  app.get('/context', async (c) => {
    const { query, limit, filter, tokens } = c.req.query()
    return answerContext(c, view, { query, limit, filter, tokens })
  })
  app.post('/context', limitBody(MAX_BODY_BYTES), async (c) => {
    const body = await readObject(c)
    return body instanceof Response ? body : answerContext(c, view, body)
  })
  app.get('/decisions', async (c) => {
    const limit = readCount(c.req.query('limit') ?? '50', MAX_DECISIONS)
    if (limit === undefined) {
      return refuse(c, 400, 'BAD_LIMIT', `limit must be a whole number from 1 to ${MAX_DECISIONS}.`)
    }
    return c.json(await decisionsJson(view, view.decisions(limit)))
  })
  app.get('/decisions/:hash', async (c) => {
    const hash = c.req.param('hash').toLowerCase()
    if (!/^0x[0-9a-f]{64}$/.test(hash)) {
      return refuse(c, 400, 'BAD_HASH', 'A transaction hash is 0x and 64 hex digits.')
    }
    const found = view.decisionsOf(hash as `0x${string}`)
    if (found.length === 0) return refuse(c, 404, 'NOT_FOUND', `No decision on ${hash}.`)
    return c.json(await decisionsJson(view, found))
  })
  app.get('/accounts/:pubkey', (c) => {
    const text = c.req.param('pubkey')
    const pubkey = keyOf(text)
    if (!pubkey) {
      return refuse(c, 400, 'BAD_PUBKEY', 'A public key is 32 bytes in base58 (32 to 44 characters).')
    }
    const found = view.account(pubkey)
    if (!found) return refuse(c, 404, 'NOT_FOUND', `No account ${text}.`)
    const { account, block } = found
    return c.json({
      pubkey: text,
      lamports: account.lamports.toString(),
      owner: encodeBase58(account.owner),
      executable: account.executable,
      dataBase64: Buffer.from(account.data).toString('base64'),
      block: toRefJson(block),
    })
  })

  app.get('/reorgs', (c) => {
    const limit = readCount(c.req.query('limit') ?? '50', MAX_DECISIONS)
    if (limit === undefined) {
      return refuse(c, 400, 'BAD_LIMIT', `limit must be a whole number from 1 to ${MAX_DECISIONS}.`)
    }
    const { reorgs, blocksReverted } = view.status()
    const undone = view.undone(limit).map(({ block, replacedBy }) => ({
      block: toRefJson(block),
      replacedBy: toRefJson(replacedBy),
    }))
    return c.json({ reorgs, blocksReverted, undone })
  })
  mountFindings(app, view)
  mountCache(app, view)
  mountGraph(app, view)
  mountDocuments(app, view)
  mountExplain(app, view, settings.chat)
  mountMcp(app, settings.mcp, { logger: logger.child({ part: 'mcp' }) })
  mountPage(app)

  app.notFound((c) => refuse(c, 404, 'NO_SUCH_DOOR', `Nothing at ${c.req.path}; see / for the list.`))
  app.onError((error, c) => {
    logger.error({ err: error, path: c.req.path }, 'request failed')
    const code = 'code' in error && typeof error.code === 'string' ? error.code : 'INTERNAL'
    // A store that is busy, or away, may be asked again.
    return c.json({ error: { code, message: error.message } }, error.name === 'VectorStoreError' ? 503 : 500)
  })
  return app
}

async function answerContext(c: Context, view: SidecarView, given: object) {
  const { query, limit, filter, tokens } = given as Record<string, unknown>
  if (typeof query !== 'string' || query.trim() === '')
    return refuse(c, 400, 'BAD_QUERY', 'query is required.')
  if (filter !== undefined && typeof filter !== 'string')
    return refuse(c, 400, 'BAD_FILTER', 'filter must be a string.')
  const limitCount = limit === undefined ? undefined : readCount(limit, 1_000)
  const tokenCount = tokens === undefined ? undefined : readCount(tokens, 1_000_000)
  if (limit !== undefined && limitCount === undefined) {
    return refuse(c, 400, 'BAD_LIMIT', 'limit must be a whole number from 1 to 1000.')
  }
  if (tokens !== undefined && tokenCount === undefined) {
    return refuse(c, 400, 'BAD_TOKENS', 'tokens must be a whole number from 1 to 1000000.')
  }
  try {
    return c.json(await view.context({ query, filter, limit: limitCount, tokens: tokenCount }))
  } catch (error) {
    // What a caller can mend has a code; the rest goes to the error handler.
    if (error instanceof Error && 'code' in error && /^(FILTER|QUERY)/.test(String(error.code))) {
      return refuse(c, 400, String(error.code), error.message)
    }
    throw error
  }
}

/** Decisions with the calls their context is of, as far as documents name them; without the vector store they have no names. */
async function decisionsJson(view: SidecarView, decisions: readonly DecisionView[]) {
  const ids = [...new Set(decisions.flatMap(({ context }) => context))]
  const calls = ids.map((id) => ({ contract: `0x${id.slice(0, 40)}`, selector: `0x${id.slice(40, 48)}` }))
  const found = ids.length === 0 ? [] : await view.documents.callNames(calls).catch(() => [])
  const names = new Map(ids.map((id, index) => [id, found[index]] as const))
  return decisions.map((decision) => decisionJson(decision, names))
}

/** The bytes of a public key; undefined where the text is none. */
function keyOf(text: string): Uint8Array | undefined {
  try {
    return decodeBase58(text)
  } catch {
    return undefined
  }
}

function decisionJson(decision: DecisionView, names: ReadonlyMap<string, string | undefined>) {
  const named = decision.context.flatMap((id) => {
    const name = names.get(id)
    return name === undefined ? [] : [[id, name] as const]
  })
  return {
    transactionHash: decision.transactionHash,
    transactionIndex: decision.transactionIndex,
    block: toRefJson(decision.block),
    canonical: decision.canonical,
    route: decision.route,
    rule: decision.rule,
    confidence: decision.confidence,
    reason: decision.reason,
    parts: decision.parts,
    context: decision.context,
    // Text of whoever added the document: data, never to be obeyed.
    contextCalls: Object.fromEntries(named),
    contextBoundary: decision.contextBoundary === undefined ? null : Number(decision.contextBoundary),
    modelVersion: decision.modelVersion,
    outcomes: decision.outcomes,
  }
}
