import type { GraphRows } from '../rows/graphRows.ts'
import type { Tail } from './createTail.ts'
import { type EdgeIncrement, type EntityIncrement, sumEdges, sumEntities } from './increments.ts'

/** Increments of one entity added up at most, the newest: a contract that everybody calls has as many as there are callers. */
const mostIncrements = 1_000

export type GraphReader = {
  /** The newest block that what follows counts. */
  readonly asOf: bigint
  /** Blocks after `asOf` are not taken in yet. */
  readonly isBehind: boolean
  /** Everything counted from or to an entity, added up. */
  edgesOf(id: string): { readonly edges: readonly EdgeIncrement[]; readonly truncated: boolean }
  /** What is known of entities that are called; others have no entry. */
  entitiesOf(ids: readonly string[]): ReadonlyMap<string, EntityIncrement>
}

export type GraphSources = {
  readonly tail: Tail
  readonly rows: GraphRows
}

/**
 * The graph as of a block: rows of complete epochs, and the stored transactions after them. So the same answer comes however far
 * the epochs have been taken in. With more than `mostTailRows` transactions waiting, the graph is as of the last epoch instead.
 * @param most increments of one entity that are added up, the newest
 */
export function openGraph(sources: GraphSources, asOf: bigint, most = mostIncrements): GraphReader {
  const { rows } = sources
  // Epochs taken in meanwhile are left out.
  const epochsTo = rows.reached(asOf) ?? -1n
  const tail = sources.tail.read(epochsTo, asOf)
  const isBehind = tail === undefined
  const upTo = isBehind ? epochsTo : asOf

  return {
    asOf: upTo,
    isBehind,

    edgesOf(id) {
      const stored = rows.edgesOf(id, epochsTo, most)
      const near = tail?.edgesOf(id) ?? []
      return { edges: sumEdges([...stored, ...near]), truncated: stored.length === most }
    },

    entitiesOf(ids) {
      const stored = rows.entitiesOf(ids, epochsTo)
      const near = [...new Set(ids)].flatMap((id) => tail?.entitiesOf(id) ?? [])
      return new Map(sumEntities([...stored, ...near]).map((entity) => [entity.id, entity]))
    },
  }
}

/** Whether an id can be of the graph at all: only such text goes into a condition. */
export function isEntityId(id: string): boolean {
  return /^0x(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(id) || isPatternId(id)
}

export function isPatternId(id: string): boolean {
  return /^[0-9a-f]{50}$/.test(id)
}
