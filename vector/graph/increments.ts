import { hasFailed, type LinkSource, readLinks } from './readLinks.ts'
import type { CountedEdgeKind, EntityKind } from './types.ts'

/** What a run of blocks adds to one edge. Adding up those of all runs tells the edge. */
export type EdgeIncrement = {
  readonly kind: CountedEdgeKind
  readonly source: string
  readonly target: string
  readonly token: string
  readonly count: number
  readonly failed: number
  /** wei moved by transactions that did not fail. */
  readonly value: bigint
  readonly firstBlock: bigint
  /** Of the newest transaction: its block, and its index in it. */
  readonly lastBlock: bigint
  readonly lastIndex: number
}

/** What a run of blocks adds to an entity that is called: contracts, tokens, programs. Accounts are told by their edges. */
export type EntityIncrement = {
  readonly id: string
  readonly kind: EntityKind
  readonly count: number
  readonly failed: number
  readonly firstBlock: bigint
  readonly lastBlock: bigint
  readonly lastIndex: number
}

export type Increments = {
  readonly edges: readonly EdgeIncrement[]
  readonly entities: readonly EntityIncrement[]
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** What transactions add to the graph: the same for the same transactions, though in another order. */
export function incrementsOf(rows: Iterable<LinkSource>): Increments {
  const edges = new Map<string, Mutable<EdgeIncrement>>()
  const entities = new Map<string, Mutable<EntityIncrement>>()
  for (const row of rows) {
    const failed = hasFailed(row.outcome) ? 1 : 0
    const counted = {
      count: 1,
      failed,
      firstBlock: row.blockNumber,
      lastBlock: row.blockNumber,
      lastIndex: row.transactionIndex,
    }
    const links = readLinks(row)
    for (const [index, { targetKind, ...link }] of links.entries()) {
      // The currency moves along the first edge only; what follows from calldata moves tokens.
      const value = index === 0 && failed === 0 ? row.value : 0n
      const key = edgeKey(link)
      const edge = edges.get(key)
      if (edge) addEdge(edge, { ...link, ...counted, value })
      else edges.set(key, { ...link, ...counted, value })
      if (targetKind === undefined) continue
      const entity = entities.get(link.target)
      if (entity) addEntity(entity, { id: link.target, kind: targetKind, ...counted })
      else entities.set(link.target, { id: link.target, kind: targetKind, ...counted })
    }
  }
  return { edges: [...edges.values()], entities: [...entities.values()] }
}

/** Edges added up, one of each kind between two entities, in the order of their keys. */
export function sumEdges(increments: Iterable<EdgeIncrement>): readonly EdgeIncrement[] {
  const sums = new Map<string, Mutable<EdgeIncrement>>()
  for (const increment of increments) {
    const key = edgeKey(increment)
    const sum = sums.get(key)
    if (sum) addEdge(sum, increment)
    else sums.set(key, { ...increment })
  }
  return inOrder(sums)
}

/** Entities added up, in the order of their ids. */
export function sumEntities(increments: Iterable<EntityIncrement>): readonly EntityIncrement[] {
  const sums = new Map<string, Mutable<EntityIncrement>>()
  for (const increment of increments) {
    const sum = sums.get(increment.id)
    if (sum) addEntity(sum, increment)
    else sums.set(increment.id, { ...increment })
  }
  return inOrder(sums)
}

type EdgeName = Pick<EdgeIncrement, 'kind' | 'source' | 'target' | 'token'>

export function edgeKey({ kind, source, target, token }: EdgeName): string {
  return `${kind} ${source} ${target} ${token}`
}

function addEdge(sum: Mutable<EdgeIncrement>, more: EdgeIncrement): void {
  addCounts(sum, more)
  sum.value += more.value
}

function addEntity(sum: Mutable<EntityIncrement>, more: EntityIncrement): void {
  addCounts(sum, more)
  // Whoever once took a call that only tokens take is a token.
  if (more.kind === 'token') sum.kind = 'token'
}

type Counts = Mutable<Pick<EdgeIncrement, 'count' | 'failed' | 'firstBlock' | 'lastBlock' | 'lastIndex'>>

function addCounts(sum: Counts, more: Counts): void {
  sum.count += more.count
  sum.failed += more.failed
  if (more.firstBlock < sum.firstBlock) sum.firstBlock = more.firstBlock
  const isNewer =
    more.lastBlock > sum.lastBlock || (more.lastBlock === sum.lastBlock && more.lastIndex > sum.lastIndex)
  if (!isNewer) return
  sum.lastBlock = more.lastBlock
  sum.lastIndex = more.lastIndex
}

function inOrder<T>(map: ReadonlyMap<string, T>): readonly T[] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, value]) => value)
}
