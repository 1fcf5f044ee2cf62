import type { Context, Hono } from 'hono'
import { type DocumentInput, documentBytes } from '#vector'
import { limitBody, readChange, refuse } from '../doors/requests.ts'
import type { SidecarView } from './view.ts'

/** JSON spells some characters with several. */
const MAX_BODY_BYTES = 4 * documentBytes

/** What is wrong with a document, and the status it is told with. */
const statuses: Readonly<Record<string, 400 | 404 | 409 | 413>> = {
  DOCUMENT_INVALID: 400,
  DOCUMENT_TOO_LARGE: 413,
  DOCUMENT_NOT_FOUND: 404,
  DOCUMENTS_FULL: 409,
}

/**
 * `/documents`: what people added to be searched. GET lists them; POST `{title, kind, contract, text}` adds one, and answers 201, or
 * 200 when it was there already; DELETE `/documents/:id` removes one with all its parts. GET `/documents/embedding` tells whose vectors
 * they have, and how far they are embedded again.
 */
export function mountDocuments(app: Hono, view: SidecarView): void {
  app.get('/documents', (c) => answered(c, async () => c.json({ documents: await view.documents.list() })))

  app.get('/documents/embedding', (c) => answered(c, async () => c.json(await view.documents.embedding())))

  app.post('/documents', limitBody(MAX_BODY_BYTES), async (c) => {
    const body = await readChange(c)
    if (body instanceof Response) return body
    const input = readInput(body)
    if (typeof input === 'string') return refuse(c, 400, 'BAD_DOCUMENT', input)
    return answered(c, async () => {
      const added = await view.documents.add(input)
      return c.json(added, added.isNew ? 201 : 200)
    })
  })

  app.delete('/documents/:id', (c) =>
    answered(c, async () => c.json({ removed: await view.documents.remove(c.req.param('id')) })),
  )
}

/** The document, or what is wrong with the body. What it may say is for the store to judge. */
function readInput(body: Readonly<Record<string, unknown>>): DocumentInput | string {
  const { title, kind, contract, text: content, ...others } = body
  const [unknown] = Object.keys(others)
  if (unknown !== undefined) return 'Only title, kind, contract and text are known.'
  if (typeof title !== 'string' || typeof kind !== 'string' || typeof content !== 'string')
    return 'title, kind and text are required, and are strings.'
  if (contract !== undefined && typeof contract !== 'string') return 'contract must be a string.'
  return { title, kind: kind as DocumentInput['kind'], contract, text: content }
}

async function answered(c: Context, work: () => Promise<Response>): Promise<Response> {
  try {
    return await work()
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    // Errors of an embedder have their own codes; each means that it did not answer as it should.
    const status = statuses[code] ?? ((error as Error).name === 'EmbedderError' ? 503 : undefined)
    if (status === undefined) throw error
    return refuse(c, status, code, (error as Error).message)
  }
}
