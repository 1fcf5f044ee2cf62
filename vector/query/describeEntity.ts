import type { DocumentNames } from '../documents/documentNames.ts'
import type { EdgeIncrement, EntityIncrement } from '../graph/increments.ts'
import type { EntityKind } from '../graph/types.ts'
import { type Description, finalityAt } from './describeRow.ts'
import { escapeText } from './escapeText.ts'
import { encodeKey } from './solanaKey.ts'

/** Edges named in the text of an entity. */
const named = 5

/** Everything known of an entity. */
export type KnownEntity = {
  readonly id: string
  /** What it is called as, and how often; undefined for accounts. */
  readonly called: EntityIncrement | undefined
  /** The most counted first. */
  readonly edges: readonly EdgeIncrement[]
  /** Edges are of the newest blocks only: there are too many to count. */
  readonly truncated: boolean
}

/** An entity as an item: what it does and what is done with it, the most counted first. */
export function describeEntity(
  { id, called, edges, truncated }: KnownEntity,
  asOf: bigint,
  { finalized, names }: { readonly finalized: bigint | undefined; readonly names: DocumentNames },
): Description {
  const owned = edges.some(({ kind, target }) => kind === 'owns' && target === id)
  const kind: EntityKind = called?.kind ?? (owned ? 'token' : 'account')
  const name = names.entityName(id)
  const blocks = [...(called ? [called] : []), ...edges]
  const firstBlock = least(blocks.map((each) => each.firstBlock))
  const lastBlock = -least(blocks.map((each) => -each.lastBlock))
  const isKey = id.length === 66 && kind !== 'contract'
  const title = `${kind} ${isKey ? encodeKey(id) : id}${name === undefined ? '' : ` «${escapeText(name, 80)}»`}`
  const calls = called
    ? [`called ${called.count} times${called.failed > 0 ? `, ${called.failed} failed` : ''}`]
    : []
  const parts = [...calls, ...edges.slice(0, named).map((edge) => edgeText(edge, id))]
  if (edges.length > named) parts.push(`${edges.length - named} more edges`)
  if (truncated) parts.push('older edges not counted')
  return {
    id,
    kind: 'entity',
    citation: `entity ${id} as of block ${asOf}`,
    text: `${title}, blocks ${firstBlock} to ${lastBlock}: ${parts.join('; ')}`,
    finality: finalityAt(lastBlock, finalized),
    asOf: String(asOf),
    untrusted: name !== undefined,
    provenance: { source: 'consolidation', embedder: null },
    facts: {
      entityKind: kind,
      count: called?.count ?? 0,
      failed: called?.failed ?? 0,
      edges: edges.length,
      truncated,
      firstBlock: Number(firstBlock),
      lastBlock: Number(lastBlock),
      ...(name === undefined ? {} : { name: escapeText(name, 200) }),
    },
  }
}

const forward = {
  calls: 'calls',
  transfers: 'transfers to',
  deploys: 'deploys by',
  owns: 'got tokens of',
} as const
const backward = {
  calls: 'is called by',
  transfers: 'gets from',
  deploys: 'was deployed by',
  owns: 'is held by',
} as const

function edgeText({ kind, source, target, token, count, failed, value }: EdgeIncrement, id: string): string {
  const isOut = source === id
  const of = token === '' ? '' : ` of token ${token}`
  const wei = value > 0n ? `, ${value} wei` : ''
  const failures = failed > 0 ? `, ${failed} failed` : ''
  return `${(isOut ? forward : backward)[kind]} ${isOut ? target : source}${of} ${count} times${failures}${wei}`
}

function least(numbers: readonly bigint[]): bigint {
  let lowest = numbers[0] ?? 0n
  for (const number of numbers) if (number < lowest) lowest = number
  return lowest
}
