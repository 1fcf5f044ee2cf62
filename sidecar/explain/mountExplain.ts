import type { Context, Hono } from 'hono'
import type { SidecarView } from '../api/view.ts'
import { readCount, refuse } from '../doors/requests.ts'
import { explainTransaction } from './explainTransaction.ts'
import { explanationStream } from './explanationStream.ts'
import { findSimilar } from './findSimilar.ts'
import type { ChatEndpoint } from './streamChat.ts'

/** Answers of a model under way at once: each holds a connection, here and there. */
const MAX_STREAMS = 4

/**
 * `/explain/:hash`: the facts behind a decision as JSON, or with `Accept: text/event-stream` as events, followed by
 * a model's wording of them. `/similar/:name?limit=&tokens=`: rows like the one named by transaction hash or row id.
 */
export function mountExplain(app: Hono, view: SidecarView, chat: ChatEndpoint | undefined): void {
  let streams = 0
  app.get('/explain/:hash', async (c) => {
    const hash = c.req.param('hash').toLowerCase()
    if (!isHash(hash)) return refuse(c, 400, 'BAD_HASH', 'A transaction hash is 0x and 64 hex digits.')
    const explanation = await explainTransaction(view, hash)
    if (explanation === undefined) return refuse(c, 404, 'NOT_FOUND', `No decision on ${hash}.`)
    if (c.req.header('accept')?.includes('text/event-stream') !== true) {
      return c.json({ ...explanation, model: chat?.model ?? null })
    }
    // A page of another site may not make us ask a model, which costs whoever pays for it.
    if (isFromAnotherSite(c)) return refuse(c, 403, 'OTHER_SITE', 'Asked by a page of another site.')
    if (streams >= MAX_STREAMS) {
      return refuse(c, 429, 'CHAT_BUSY', `${MAX_STREAMS} answers are under way already: try again later.`)
    }
    streams++
    return explanationStream(explanation, chat, () => {
      streams--
    })
  })
  app.get('/similar/:name', async (c) => {
    const name = c.req.param('name').toLowerCase()
    const limit = readCount(c.req.query('limit') ?? '10', 1_000)
    const tokens = readCount(c.req.query('tokens') ?? '', 1_000_000)
    if (!isHash(name) && !/^[0-9a-f]{16,64}$/.test(name)) {
      return refuse(
        c,
        400,
        'BAD_NAME',
        'Expected a transaction hash (0x and 64 hex digits) or the id of a row.',
      )
    }
    if (limit === undefined)
      return refuse(c, 400, 'BAD_LIMIT', 'limit must be a whole number from 1 to 1000.')
    if (tokens === undefined && c.req.query('tokens') !== undefined) {
      return refuse(c, 400, 'BAD_TOKENS', 'tokens must be a whole number from 1 to 1000000.')
    }
    const found = await findSimilar(view, isHash(name) ? { hash: name } : { id: name }, limit, tokens)
    if (found === undefined) {
      const message = `No row of ${name} is kept: only envelopes and a sample of the other transactions have one.`
      return refuse(c, 404, 'NOT_FOUND', message)
    }
    return c.json(found)
  })
}

function isHash(text: string): text is `0x${string}` {
  return /^0x[0-9a-f]{64}$/.test(text)
}

function isFromAnotherSite(c: Context): boolean {
  const site = c.req.header('sec-fetch-site')
  if (site !== undefined) return site !== 'same-origin' && site !== 'none'
  const origin = c.req.header('origin')
  return origin !== undefined && (!URL.canParse(origin) || new URL(origin).host !== c.req.header('host'))
}
