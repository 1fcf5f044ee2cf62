import type { Table } from '@lancedb/lancedb'
import { QueryError } from '../errors.ts'
import { finalityAt } from '../query/describeRow.ts'
import { escapeText } from '../query/escapeText.ts'
import { type GraphReader, isEntityId, isPatternId } from './graphReader.ts'
import { type EdgeIncrement, edgeKey } from './increments.ts'
import { type PatternEdge, patternsAround } from './patternEdges.ts'
import {
  type EdgeKind,
  type EntityKind,
  edgeKinds,
  type GraphEdge,
  type GraphNode,
  type NeighbourRequest,
} from './types.ts'

/** Entities of an answer at most, and entities whose edges are read at one distance at most. */
const mostNodes = 200
const mostExpanded = 64

export type NeighbourTables = {
  readonly transactions: Table
  readonly patterns: Table
}

export type Neighbourhood = {
  readonly nodes: readonly GraphNode[]
  readonly edges: readonly GraphEdge[]
  readonly truncated: boolean
}

export type NeighbourContext = {
  readonly graph: GraphReader
  readonly tables: NeighbourTables
  readonly finalized: bigint | undefined
  /** Whether patterns, which are kept as they are now only, may be shown. */
  readonly withPatterns: boolean
  /** What documents call an entity. */
  nameOf(id: string): string | undefined
}

/** Checks a request and fills in what it leaves out. Throws `QueryError` `QUERY_INVALID`. */
export function checkNeighbourRequest(request: NeighbourRequest): Required<Omit<NeighbourRequest, 'asOf'>> {
  const { hops = 1, fanout = 8, kinds = edgeKinds } = request
  const id = request.id.trim().toLowerCase()
  if (!isEntityId(id)) {
    throw invalid(
      'an id of 0x and 40 or 64 hex digits, or a pattern of 50 hex digits',
      escapeText(request.id, 80),
    )
  }
  if (!Number.isSafeInteger(hops) || hops < 1 || hops > 3) throw invalid('hops from 1 to 3', String(hops))
  if (!Number.isSafeInteger(fanout) || fanout < 1 || fanout > 32)
    throw invalid('a fanout from 1 to 32', String(fanout))
  const unknown = kinds.find((kind) => !edgeKinds.includes(kind))
  if (unknown !== undefined || kinds.length === 0)
    throw invalid(`kinds among ${edgeKinds.join(', ')}`, escapeText(String(unknown), 40))
  return { id, hops, fanout, kinds }
}

/**
 * What is around an entity, distance by distance: of each entity the edges counted most, so a hub does not drown the rest. The order
 * depends on the counts alone.
 */
export async function neighboursOf(
  { id, hops, fanout, kinds }: ReturnType<typeof checkNeighbourRequest>,
  context: NeighbourContext,
): Promise<Neighbourhood> {
  const { graph, tables, withPatterns } = context
  const wanted = new Set<EdgeKind>(kinds)
  const hopOf = new Map([[id, 0]])
  const counted = new Map<string, EdgeIncrement>()
  const ofPatterns = new Map<string, PatternEdge>()
  let truncated = false
  let frontier = [id]
  for (let hop = 1; hop <= hops && frontier.length > 0; hop += 1) {
    if (frontier.length > mostExpanded) truncated = true
    const found = await Promise.all(
      frontier.slice(0, mostExpanded).map(async (from) => ({
        counted: isPatternId(from) ? { edges: [], truncated: false } : graph.edgesOf(from),
        ofPatterns: withPatterns ? await patternsAround(tables.patterns, from, fanout) : [],
      })),
    )
    const next = new Set<string>()
    for (const [index, { counted: edges, ofPatterns: near }] of found.entries()) {
      const from = frontier[index]!
      if (edges.truncated) truncated = true
      const ranked = edges.edges.filter(({ kind }) => wanted.has(kind)).sort(byCount)
      if (ranked.length > fanout) truncated = true
      for (const edge of ranked.slice(0, fanout)) {
        if (reach(edge.source === from ? edge.target : edge.source, hop)) counted.set(edgeKey(edge), edge)
      }
      for (const edge of near.filter(({ kind }) => wanted.has(kind)).slice(0, fanout)) {
        if (reach(edge.source === from ? edge.target : edge.source, hop))
          ofPatterns.set([edge.kind, ...[edge.source, edge.target].sort()].join(' '), edge)
      }
    }
    frontier = [...next]

    /** Notes an entity met; false when the answer is full. */
    function reach(met: string, at: number): boolean {
      if (hopOf.has(met)) return true
      if (hopOf.size >= mostNodes) {
        truncated = true
        return false
      }
      hopOf.set(met, at)
      next.add(met)
      return true
    }
  }
  const edges = await describeEdges([...counted.values()], [...ofPatterns.values()], context)
  const isKnown = edges.length > 0 || graph.entitiesOf([id]).size > 0
  return { nodes: isKnown ? await describeNodes(hopOf, edges, context) : [], edges, truncated }
}

/** Most counted first, then the newest, then by name. */
export function byCount(a: EdgeIncrement, b: EdgeIncrement): number {
  if (a.count !== b.count) return b.count - a.count
  if (a.lastBlock !== b.lastBlock) return a.lastBlock > b.lastBlock ? -1 : 1
  return edgeKey(a) < edgeKey(b) ? -1 : 1
}

async function describeNodes(
  hopOf: ReadonlyMap<string, number>,
  edges: readonly GraphEdge[],
  { graph, nameOf }: NeighbourContext,
): Promise<readonly GraphNode[]> {
  const ids = [...hopOf.keys()].filter((id) => !isPatternId(id))
  const called = graph.entitiesOf(ids)
  const tokens = new Set(
    edges.flatMap(({ kind, token, target }) => [token, kind === 'owns' ? target : undefined]),
  )
  const kindOf = (id: string): EntityKind => {
    if (isPatternId(id)) return 'pattern'
    return called.get(id)?.kind ?? (tokens.has(id) ? 'token' : 'account')
  }
  return [...hopOf].map(([id, hop]) => ({ id, kind: kindOf(id), hop, name: nameOf(id) }))
}

async function describeEdges(
  counted: readonly EdgeIncrement[],
  ofPatterns: readonly PatternEdge[],
  { tables, finalized }: NeighbourContext,
): Promise<readonly GraphEdge[]> {
  const hashes = await transactionHashes(tables.transactions, counted)
  return [
    ...counted.toSorted(byCount).map((edge): GraphEdge => {
      const hash = hashes.get(`${edge.lastBlock} ${edge.lastIndex}`)
      return {
        kind: edge.kind,
        source: edge.source,
        target: edge.target,
        token: edge.token === '' ? undefined : edge.token,
        count: edge.count,
        failed: edge.failed,
        value: String(edge.value),
        similarity: undefined,
        firstBlock: Number(edge.firstBlock),
        lastBlock: Number(edge.lastBlock),
        finality: finalityAt(edge.lastBlock, finalized),
        citation: hash === undefined ? `block ${edge.lastBlock}` : `tx ${hash} block ${edge.lastBlock}`,
      }
    }),
    ...ofPatterns.map(
      (edge): GraphEdge => ({
        kind: edge.kind,
        source: edge.source,
        target: edge.target,
        token: undefined,
        count: 1,
        failed: 0,
        value: '0',
        similarity: edge.similarity,
        firstBlock: Number(edge.boundary),
        lastBlock: Number(edge.boundary),
        finality: finalityAt(edge.boundary, finalized),
        citation: `pattern 0x${edge.pattern} as of block ${edge.boundary}`,
      }),
    ),
  ]
}

/** Hashes of the newest transactions of edges, by block and index. */
async function transactionHashes(
  transactions: Table,
  edges: readonly EdgeIncrement[],
): Promise<ReadonlyMap<string, string>> {
  if (edges.length === 0) return new Map()
  const blocks = [...new Set(edges.map(({ lastBlock }) => lastBlock))]
  const indexes = [...new Set(edges.map(({ lastIndex }) => lastIndex))]
  const rows: { blockNumber: bigint; transactionIndex: bigint; transactionHash: string }[] =
    await transactions
      .query()
      .where(`\`blockNumber\` IN (${blocks.join(', ')}) AND \`transactionIndex\` IN (${indexes.join(', ')})`)
      .select(['blockNumber', 'transactionIndex', 'transactionHash'])
      .toArray()
  return new Map(rows.map((row) => [`${row.blockNumber} ${row.transactionIndex}`, row.transactionHash]))
}

function invalid(expected: string, came: string): QueryError {
  return new QueryError('QUERY_INVALID', `neighbours: expected ${expected}, got '${came}'`)
}
