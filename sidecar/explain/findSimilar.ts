import type { ContextAnswer, ContextItem } from '#vector'
import type { SidecarView } from '../api/view.ts'

/** A row, and the rows like it, nearest first. */
export type SimilarRows = ContextAnswer & { readonly of: ContextItem }

/** Documents are among rows that merely fit only where they are asked for. */
const storedKinds = 'kind:transaction kind:pattern kind:memory kind:document'

/** Longest excerpt of a row's text that is searched with. */
const EXCERPT = 400

/**
 * Rows like one row: of the same call first, then those near it. Undefined when no such row is kept.
 * @param name a transaction's hash, or a row's id as answers give it
 * @param tokens budget of the answer; undefined: the configured one
 */
export async function findSimilar(
  view: SidecarView,
  name: { readonly hash: string } | { readonly id: string },
  limit: number,
  tokens: number | undefined,
): Promise<SimilarRows | undefined> {
  const [of] = (await view.context({ ...rowRequest(name), limit: 1, tokens: 1_000_000 })).items
  if (of === undefined) return undefined
  // One more, as the row itself is likely among them.
  const answer = await view.context({ query: similarQuery(of), limit: limit + 1, tokens })
  return { ...answer, of, items: answer.items.filter(({ id }) => id !== of.id).slice(0, limit) }
}

function rowRequest(name: { readonly hash: string } | { readonly id: string }) {
  return 'hash' in name
    ? { query: `hash:${name.hash} kind:transaction` }
    : { query: storedKinds, filter: `id = '${name.id}'` }
}

/** The question whose answer is rows like this one. */
function similarQuery({ kind, facts, text }: ContextItem): string {
  if (kind === 'transaction') {
    const call = facts.to === '' ? 'creation' : `to:${facts.to}`
    return `${call} selector:${facts.selector} kind:transaction`
  }
  if (kind === 'pattern') return `to:${facts.contract} selector:${facts.selector}`
  // Without colons, or its own words would be taken for fields.
  return `kind:${kind} ${text.slice(0, EXCERPT).replaceAll(':', ' ')}`
}
