import type { Context, Hono } from 'hono'
import { readCount, refuse } from '../doors/requests.ts'
import type { BlockRef } from '../notification/types.ts'
import type { Advice } from './advice/createAdvice.ts'
import type { StoredFinding } from './readFindings.ts'
import { type FindingKind, findingKinds } from './types.ts'

/** What the doors of the findings may see. */
export type FindingsView = {
  /** Of durable canonical blocks, newest block first; undefined where findings are switched off. */
  findings(limit: number, kind: FindingKind | undefined): readonly StoredFinding[] | undefined
  /** Of one block, while it is canonical; none where findings are switched off. */
  findingsOf(block: BlockRef): readonly StoredFinding[]
  /** From the last durable blocks; undefined where findings are switched off, null before the first that was looked at. */
  advice(): Advice | null | undefined
}

const MAX_FINDINGS = 1_000

/** `/findings?limit=&kind=`: what was noticed in the last blocks. `/advice`: fees and congestion. */
export function mountFindings(app: Hono, view: FindingsView): void {
  app.get('/findings', (c) => {
    const limit = readCount(c.req.query('limit') ?? '50', MAX_FINDINGS)
    if (limit === undefined) {
      return refuse(c, 400, 'BAD_LIMIT', `limit must be a whole number from 1 to ${MAX_FINDINGS}.`)
    }
    const kind = c.req.query('kind')
    if (kind !== undefined && !isKind(kind)) {
      return refuse(c, 400, 'BAD_KIND', `kind must be one of ${findingKinds.join(', ')}.`)
    }
    const found = view.findings(limit, kind)
    return found === undefined ? refuseOff(c) : c.json(found)
  })
  app.get('/advice', (c) => {
    const advice = view.advice()
    if (advice === undefined) return refuseOff(c)
    return advice === null
      ? refuse(
          c,
          404,
          'NO_BLOCKS',
          'No block was looked at yet: there is nothing to advise from. Ask again once one is durable.',
        )
      : c.json(advice)
  })
}

const isKind = (text: string): text is FindingKind => (findingKinds as readonly string[]).includes(text)

const refuseOff = (c: Context) =>
  refuse(c, 404, 'FINDINGS_OFF', 'Findings are switched off: set findings.enabled to have them.')
