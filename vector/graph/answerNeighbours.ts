import type { Table } from '@lancedb/lancedb'
import { noNames } from '../documents/documentNames.ts'
import type { Documents } from '../documents/openDocuments.ts'
import { escapeText } from '../query/escapeText.ts'
import { errorText } from '../store/failure.ts'
import type { Progress } from '../store/progress.ts'
import { type GraphSources, isPatternId, openGraph } from './graphReader.ts'
import { checkNeighbourRequest, neighboursOf } from './neighbours.ts'
import type { NeighbourAnswer, NeighbourRequest } from './types.ts'

export type NeighbourSources = {
  readonly tables: Readonly<Record<'transactions' | 'patterns', Table>>
  readonly graph: GraphSources
  readonly documents: Documents
  readonly problems: readonly string[]
}

/** Answers what is around an entity. Throws `QueryError` before anything is read, and what LanceDB throws. */
export async function answerNeighbours(
  { tables, graph: sources, documents, problems }: NeighbourSources,
  request: NeighbourRequest,
  progress: Progress,
): Promise<NeighbourAnswer> {
  const checked = checkNeighbourRequest(request)
  const warnings = [...problems]
  const newest = progress.asOf
  const asked = request.asOf ?? newest?.number
  if (asked === undefined || !newest)
    return { id: checked.id, asOf: undefined, nodes: [], edges: [], truncated: false, warnings }
  let names = noNames
  try {
    names = documents.names()
  } catch (cause) {
    warnings.push(`names in documents could not be read: ${errorText(cause)}`)
  }
  const isNow = asked >= newest.number
  const graph = openGraph(sources, isNow ? newest.number : asked)
  if (graph.isBehind)
    warnings.push(`the graph is as of block ${graph.asOf}: what came after it is being taken in`)
  if (!isNow) warnings.push('patterns are kept as they are now only: edges with them are left out')
  const found = await neighboursOf(checked, {
    graph,
    tables,
    finalized: progress.finalized,
    withPatterns: isNow,
    nameOf(id) {
      const name = isPatternId(id)
        ? names.callName(`0x${id.slice(0, 40)}`, `0x${id.slice(40, 48)}`)
        : names.entityName(id)
      return name === undefined ? undefined : escapeText(name, 200)
    },
  })
  const hash = graph.asOf === newest.number ? newest.hash : undefined
  return { id: checked.id, asOf: { number: String(graph.asOf), hash }, ...found, warnings }
}
