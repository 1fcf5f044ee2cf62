import type { Table } from '@lancedb/lancedb'
import type { SideHandles } from '../store/sideTables.ts'
import { lower, type Tail } from './createTail.ts'
import { type EdgeIncrement, type EntityIncrement, sumEdges, sumEntities } from './increments.ts'
import type { CountedEdgeKind, EntityKind } from './types.ts'

/** Rows of `edges` read of one entity at most, the newest: a contract that everybody calls has as many as there are callers. */
export const mostIncrements = 2_000

export type GraphReader = {
  /** The newest block that what follows counts. */
  readonly asOf: bigint
  /** Blocks after `asOf` are not taken in yet. */
  readonly isBehind: boolean
  /** Everything counted from or to an entity, added up. */
  edgesOf(id: string): Promise<{ readonly edges: readonly EdgeIncrement[]; readonly truncated: boolean }>
  /** What is known of entities that are called; others have no entry. */
  entitiesOf(ids: readonly string[]): Promise<ReadonlyMap<string, EntityIncrement>>
}

export type GraphSources = {
  readonly tail: Tail
  readonly sides: SideHandles
  /** How far a table is, as of a block or of now. */
  reached(table: 'edges' | 'entities', asOf: bigint): Promise<bigint>
}

/**
 * The graph as of a block: rows of complete epochs, and the stored transactions after them. So the same answer comes however far
 * the epochs have been taken in. With more than `mostTailRows` transactions waiting, the graph is as of the last epoch instead.
 */
export async function openGraph(sources: GraphSources, asOf: bigint): Promise<GraphReader> {
  const { sides } = sources
  const edgesTo = await sources.reached('edges', asOf)
  const entitiesTo = await sources.reached('entities', asOf)
  const read = await sources.tail.read(edgesTo, entitiesTo, asOf)
  const isBehind = read === undefined
  const upTo = isBehind ? lower(edgesTo, entitiesTo) : asOf
  const tail = read ?? { edges: [], entities: [] }

  return {
    asOf: upTo,
    isBehind,

    async edgesOf(id) {
      const stored = await storedEdges(sides.tables.edges, id, edgesTo)
      const near = tail.edges.filter(({ source, target }) => source === id || target === id)
      return { edges: sumEdges([...stored, ...near]), truncated: stored.length === mostIncrements }
    },

    async entitiesOf(ids) {
      const wanted = new Set(ids)
      const stored = await storedEntities(sides.tables.entities, ids, entitiesTo)
      const near = tail.entities.filter((entity) => wanted.has(entity.id))
      return new Map(sumEntities([...stored, ...near]).map((entity) => [entity.id, entity]))
    },
  }
}

/** @param to where the tail begins: epochs taken in meanwhile are left out */
async function storedEdges(
  table: Table | undefined,
  id: string,
  to: bigint,
): Promise<readonly EdgeIncrement[]> {
  if (!table) return []
  const all = `(\`source\` = '${id}' OR \`target\` = '${id}') AND \`toBlock\` <= ${to}`
  const count = await table.countRows(all)
  let rows: readonly EdgeRow[] = []
  if (count > mostIncrements) {
    // Of what has rows in every epoch only the newest epochs: it need not be sorted out of all there ever were.
    const blocks = (2n * to * BigInt(mostIncrements)) / BigInt(count) + 1n
    rows = await newestEdges(table, `${all} AND \`toBlock\` > ${to - blocks}`)
  }
  if (rows.length < Math.min(count, mostIncrements)) rows = await newestEdges(table, all)
  return rows.map((row) => ({
    kind: row.kind as CountedEdgeKind,
    source: String(row.source),
    target: String(row.target),
    token: String(row.token),
    count: Number(row.count),
    failed: Number(row.failed),
    value: BigInt(row.value as string),
    firstBlock: row.firstBlock as bigint,
    lastBlock: row.lastBlock as bigint,
    lastIndex: Number(row.lastIndex),
  }))
}

type EdgeRow = Record<string, string | bigint>

async function newestEdges(table: Table, where: string): Promise<readonly EdgeRow[]> {
  return await table
    .query()
    .where(where)
    .orderBy([
      { columnName: 'lastBlock', ascending: false },
      { columnName: 'lastIndex', ascending: false },
      { columnName: 'kind', ascending: true },
      { columnName: 'source', ascending: true },
      { columnName: 'target', ascending: true },
    ])
    .limit(mostIncrements)
    .toArray()
}

async function storedEntities(
  table: Table | undefined,
  ids: readonly string[],
  to: bigint,
): Promise<readonly EntityIncrement[]> {
  if (!table || ids.length === 0) return []
  const rows: Record<string, string | bigint>[] = await table
    .query()
    .where(`\`id\` IN (${ids.map((id) => `'${id}'`).join(', ')}) AND \`toBlock\` <= ${to}`)
    .toArray()
  return rows.map((row) => ({
    id: String(row.id),
    kind: row.kind as EntityKind,
    count: Number(row.count),
    failed: Number(row.failed),
    firstBlock: row.firstBlock as bigint,
    lastBlock: row.lastBlock as bigint,
    lastIndex: Number(row.lastIndex),
  }))
}

/** Whether an id can be of the graph at all: only such text goes into a condition. */
export function isEntityId(id: string): boolean {
  return /^0x(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(id) || isPatternId(id)
}

export function isPatternId(id: string): boolean {
  return /^[0-9a-f]{50}$/.test(id)
}
