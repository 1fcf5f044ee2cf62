import type { DocumentNames } from '../documents/documentNames.ts'
import type { GraphReader } from '../graph/graphReader.ts'
import type { EntityIncrement } from '../graph/increments.ts'
import { byCount } from '../graph/neighbours.ts'
import { describeEntity, type KnownEntity } from './describeEntity.ts'
import type { Found } from './found.ts'

/** Entities of a question looked up at most, and neighbours of them followed. */
const mostNamed = 8
const mostNeighbours = 8

export type GraphFindings = {
  /** The entities named, as far as they are known. */
  readonly named: readonly Found[]
  /** Entities one edge away, the most counted first. */
  readonly neighbours: readonly string[]
}

/** What the graph knows of the entities a question names. */
export function findEntities(
  graph: GraphReader,
  ids: readonly string[],
  context: { readonly finalized: bigint | undefined; readonly names: DocumentNames },
  match: 'exact' | 'words',
): GraphFindings {
  const asked = ids.slice(0, mostNamed)
  const called = graph.entitiesOf(asked)
  const known = asked.map((id) => knownEntity(graph, id, called.get(id)))
  const present = known.filter(({ called, edges }) => called !== undefined || edges.length > 0)
  const near = present.flatMap(({ id, edges }) =>
    edges.map(({ source, target }) => (source === id ? target : source)),
  )
  return {
    named: present.map((entity) => foundEntity(entity, graph.asOf, context, match)),
    neighbours: [...new Set(near)].filter((id) => !asked.includes(id)).slice(0, mostNeighbours),
  }
}

/** Neighbours as entities of their own, for questions that ask for them. */
export function describeNeighbours(
  graph: GraphReader,
  ids: readonly string[],
  context: { readonly finalized: bigint | undefined; readonly names: DocumentNames },
): readonly Found[] {
  const called = graph.entitiesOf(ids)
  return ids.map((id) =>
    foundEntity(knownEntity(graph, id, called.get(id)), graph.asOf, context, 'neighbour'),
  )
}

function knownEntity(graph: GraphReader, id: string, called: EntityIncrement | undefined): KnownEntity {
  const { edges, truncated } = graph.edgesOf(id)
  return { id, called, edges: edges.toSorted(byCount), truncated }
}

function foundEntity(
  entity: KnownEntity,
  asOf: bigint,
  context: { readonly finalized: bigint | undefined; readonly names: DocumentNames },
  match: 'exact' | 'words' | 'neighbour',
): Found {
  const description = describeEntity(entity, asOf, context)
  return {
    table: 'entities',
    id: entity.id,
    contract: entity.id,
    match,
    writtenAt: BigInt(Number(description.facts.lastBlock)),
    content: { description },
  }
}
