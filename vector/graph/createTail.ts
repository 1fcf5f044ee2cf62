import type { RowIndex } from '../rows/rowIndex.ts'
import { type EdgeIncrement, type EntityIncrement, incrementsOf } from './increments.ts'
import { readTransactions, type SourceRow } from './readTransactions.ts'

/** Stored transactions after the last complete epoch that are looked at for an answer. */
export const mostTailRows = 20_000

/** What blocks add to the graph that no epoch holds yet. */
export type Tail = {
  /** What blocks after `after` up to `asOf` add. Undefined with more than `mostTailRows` in them. Throws what SQLite throws. */
  read(after: bigint, asOf: bigint): TailReader | undefined
  /** Blocks from `lowest` on were taken back, or others came in their place. */
  cut(lowest: bigint): void
}

/** Increments by what they are of, a few of each: those of every block. */
export type TailReader = {
  edgesOf(id: string): readonly EdgeIncrement[]
  entitiesOf(id: string): readonly EntityIncrement[]
}

type TailBlock = {
  readonly number: bigint
  readonly rows: number
  readonly edges: ReadonlyMap<string, readonly EdgeIncrement[]>
  readonly entities: ReadonlyMap<string, EntityIncrement>
}

/** All blocks after one and up to another that have rows, in their order. */
type Kept = { readonly after: bigint; readonly to: bigint; readonly blocks: readonly TailBlock[] }

/**
 * Reads each block once where `keeps`: a reader of what another process writes is not told of undone blocks, and reads them for every
 * answer.
 */
export function createTail(rows: Pick<RowIndex, 'between' | 'countBetween'>, keeps: boolean): Tail {
  let kept: Kept | undefined

  return {
    read(after, asOf) {
      const known = reach(after, asOf)
      if (!known) return undefined
      const within = known.blocks.filter(({ number }) => number > after && number <= asOf)
      return {
        edgesOf: (id) => within.flatMap(({ edges }) => edges.get(id) ?? []),
        entitiesOf: (id) => within.flatMap(({ entities }) => entities.get(id) ?? []),
      }
    },
    cut(lowest) {
      if (!kept || kept.to < lowest) return
      const { after, blocks } = kept
      const isLeft = after < lowest
      kept = isLeft
        ? { after, to: lowest - 1n, blocks: blocks.filter(({ number }) => number < lowest) }
        : undefined
    },
  }

  /** What is kept, when it has every block in (after, asOf]; else what it lacks is read. */
  function reach(after: bigint, asOf: bigint): Kept | undefined {
    // What ends before `after` would leave a hole, to be read for nothing.
    const before = keeps && kept && kept.after <= after && kept.to >= after ? kept : undefined
    if (before && before.to >= asOf) return before
    const known = before?.blocks.filter(({ number }) => number > after) ?? []
    const from = before ? before.to + 1n : after + 1n
    const count = known.reduce((sum, block) => sum + block.rows, 0) + rows.countBetween(from, asOf)
    if (count > mostTailRows) return undefined
    const read = { after, to: asOf, blocks: [...known, ...readBlocks(from, asOf)] }
    // A question about the past leaves what is kept for those about now.
    if (keeps && (!kept || asOf >= kept.to)) kept = read
    return read
  }

  function readBlocks(first: bigint, last: bigint): readonly TailBlock[] {
    const ofBlock = Map.groupBy(readTransactions(rows, first, last), ({ blockNumber }) => blockNumber)
    return [...ofBlock].map(([number, added]) => tailBlock(number, added))
  }
}

function tailBlock(number: bigint, rows: readonly SourceRow[]): TailBlock {
  const increments = incrementsOf(rows)
  const edges = new Map<string, EdgeIncrement[]>()
  for (const edge of increments.edges)
    for (const id of new Set([edge.source, edge.target])) {
      const known = edges.get(id)
      if (known) known.push(edge)
      else edges.set(id, [edge])
    }
  return {
    ...{ number, rows: rows.length, edges },
    entities: new Map(increments.entities.map((entity) => [entity.id, entity])),
  }
}
