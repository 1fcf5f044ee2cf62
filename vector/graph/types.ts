import type { Finality } from '../types.ts'

/** What is in the graph. A pattern is a contract's entry point: contract and selector. */
export const entityKinds = ['account', 'contract', 'token', 'program', 'pattern'] as const
export type EntityKind = (typeof entityKinds)[number]

/**
 * How two entities meet, always from the one that acts:
 *
 * - `calls`: an account a contract, a token or a program
 * - `transfers`: an account the chain's own currency, or a token, to another
 * - `deploys`: an account a contract; what it made goes by the hash of the transaction that made it
 * - `owns`: an account a token it was seen to receive; a contract its patterns
 * - `similar`: a pattern another one near it, by their vectors
 */
export const edgeKinds = ['calls', 'transfers', 'deploys', 'owns', 'similar'] as const
export type EdgeKind = (typeof edgeKinds)[number]

/** Edges that are counted in blocks, and so have rows. The others follow from `patterns` as it is now. */
export type CountedEdgeKind = Exclude<EdgeKind, 'similar'>

export type NeighbourRequest = {
  /** An address, a program's or account's 32-byte key, the hash of a creation, or a pattern's id; hex as in answers. */
  readonly id: string
  /** Edges away at most, 1 to 3; default 1. */
  readonly hops?: number | undefined
  /** Edges followed from each entity at most, the most counted first, 1 to 32; default 8. */
  readonly fanout?: number | undefined
  /** Only these; default all. */
  readonly kinds?: readonly EdgeKind[] | undefined
  /** As the graph was when this block was the newest. `similar`, and what a contract owns, are left out then. */
  readonly asOf?: bigint | undefined
}

export type GraphNode = {
  readonly id: string
  readonly kind: EntityKind
  /** Edges from the one asked for. */
  readonly hop: number
  /** As documents call it; text of others, escaped. */
  readonly name: string | undefined
}

/** Two entities and everything counted between them. */
export type GraphEdge = {
  readonly kind: EdgeKind
  readonly source: string
  readonly target: string
  /** Contract of the token moved; undefined for the chain's own currency and for what moves nothing. */
  readonly token: string | undefined
  /** Transactions; 1 for `similar` and for what a contract owns. */
  readonly count: number
  readonly failed: number
  /** wei moved along by transactions that did not fail, decimal. */
  readonly value: string
  /** Cosine similarity of the two, for `similar`. */
  readonly similarity: number | undefined
  readonly firstBlock: number
  readonly lastBlock: number
  /** Of its newest transaction. */
  readonly finality: Finality
  /** `tx 0x… block n`, the newest; `pattern 0x… as of block n` for what is read from patterns. */
  readonly citation: string
}

export type NeighbourAnswer = {
  readonly id: string
  /** The block the counts are of; undefined in an empty store. */
  readonly asOf: { readonly number: string; readonly hash: string | undefined } | undefined
  /** The one asked for first, then by hop. Empty when nothing is known of it. */
  readonly nodes: readonly GraphNode[]
  readonly edges: readonly GraphEdge[]
  /** Something was left out: more edges than `fanout`, or more than is read at once. */
  readonly truncated: boolean
  readonly warnings: readonly string[]
}
