import type { Hono } from 'hono'
import type { EdgeKind } from '#vector'
import { refuse } from '../doors/requests.ts'
import type { SidecarView } from './view.ts'

/**
 * `/neighbours/:id?hops=&fanout=&kinds=`: what is around an address, a key, or a pattern in the graph; `kinds` are separated by
 * commas. What is out of range is for the store to refuse.
 */
export function mountGraph(app: Hono, view: SidecarView): void {
  app.get('/neighbours/:id', async (c) => {
    const { hops, fanout, kinds } = c.req.query()
    const count = (text: string | undefined) => (text === undefined ? undefined : Number(text))
    const request = {
      id: c.req.param('id'),
      hops: count(hops),
      fanout: count(fanout),
      kinds: kinds?.split(',') as EdgeKind[] | undefined,
    }
    try {
      return c.json(await view.neighbours(request))
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && String(error.code).startsWith('QUERY'))) throw error
      return refuse(c, 400, String(error.code), error.message)
    }
  })
}
