import type { Table } from '@lancedb/lancedb'
import { type DocumentNames, noNames } from '../documents/documentNames.ts'
import type { Documents } from '../documents/openDocuments.ts'
import type { EmbedderRecord } from '../embed/openEmbedder.ts'
import type { GraphSources } from '../graph/graphReader.ts'
import type { Held } from '../held/heldRows.ts'
import type { RowIndex } from '../rows/rowIndex.ts'
import { errorText } from '../store/failure.ts'
import type { Progress } from '../store/progress.ts'
import { searchWords } from '../text/searchWords.ts'
import type { ContextAnswer, ContextItem, SearchRequest } from '../types.ts'
import { arrange } from './arrange.ts'
import { type DescribeContext, describeRow } from './describeRow.ts'
import { describeText } from './describeText.ts'
import { escapeText } from './escapeText.ts'
import type { RankedList, ReadFound } from './found.ts'
import { type Attempt, look, lookAtRows } from './look.ts'
import { packItems } from './packItems.ts'
import type { ParsedQuery } from './parseQuery.ts'
import { planLegs } from './planLegs.ts'
import type { Ranked } from './rank.ts'
import { type Meant, type Rewriting, readQuestion, readRequest, rewritings } from './readQuestion.ts'
import { readLate } from './structuredLegs.ts'

/** Words named in a warning. */
const mostUnknown = 10

export type SearchSources = {
  readonly tables: Readonly<Record<'transactions' | 'patterns', Table>>
  readonly rows: RowIndex
  /** Undefined for a reader, whom LanceDB tells of all rows. */
  readonly held: Held | undefined
  readonly documents: Documents
  readonly graph: GraphSources
  /** Embeds a question for documents with vectors of an embedder. Throws why that cannot be. */
  readonly embed: (text: string, of: EmbedderRecord) => Promise<Float32Array>
  /** What is to be said with every answer: a table that is damaged. */
  readonly problems: readonly string[]
}

/**
 * Answers a question from everything kept: rows it names first, the newest first; then what is found by vector, by words and
 * beside what it names, fused by rank, ordered by features, and set back where it repeats. A question with nothing to
 * compare gets the newest rows that fit.
 * A way of looking that fails is left out, and a warning says so. Throws `QueryError` and `FilterError` before anything is read,
 * and the first failure when nothing could be read.
 */
export async function searchStore(
  sources: SearchSources,
  request: SearchRequest,
  progress: Progress,
): Promise<ContextAnswer> {
  const { lists, meant, names, warnings } = await gather(sources, request, progress)
  const { finalized, asOf } = progress
  const context = { meant, newest: asOf?.number, finalized }
  const ranked = arrange(lists, context, undefined, request.limit)
  const shown = readLate(sources.rows, ranked.slice(0, request.limit))
  const items = shown.map((row) => describeFound(row, { finalized, names }))
  return {
    query: request.query,
    asOf: asOf && { number: String(asOf.number), hash: asOf.hash },
    ...packItems(items, request.tokens),
    warnings,
  }
}

/** Everything that any way of looking finds. Throws what `searchStore` throws. */
export async function gather(
  sources: SearchSources,
  request: SearchRequest,
  progress: Progress,
  use: readonly Rewriting[] = rewritings,
): Promise<{
  readonly lists: readonly RankedList[]
  readonly meant: Meant
  readonly names: DocumentNames
  readonly warnings: readonly string[]
}> {
  const { query, filter } = readRequest(request)
  const { documents, tables, rows, held, graph, embed } = sources
  const { finalized } = progress
  const newest = progress.asOf?.number
  const uses = {
    ...tables,
    rows,
    held,
    hasDocuments: documents.serving !== undefined,
  }
  const plan = (asked: ParsedQuery) =>
    planLegs(uses, asked, filter, { finalized, newest, asOf: request.asOf })
  const { legs, warnings: planned } = plan(query)
  const warnings = [...sources.problems, ...planned]
  if (request.asOf !== undefined)
    warnings.push(`rows written after block ${request.asOf} are left out, not shown as they were then`)
  const { attempt, finish } = attempts(warnings)
  const names = (await attempt('names in documents', async () => documents.names())) ?? noNames
  const question = readQuestion(query, names, use)
  const asOf = request.asOf ?? newest
  const context = { legs, limit: request.limit, asOf, finalized, names, graph, embed, documents, attempt }
  let lists = await look(question, context)
  // A word that leaves no row is taken for what it says elsewhere: `deposits` are an outcome, and also calls.
  if (use.includes('simplification') && query.hasWordOutcomes && !lists.some(isOfRows)) {
    const wider = { ...query, outcomes: [] }
    const again = await lookAtRows(question, { ...context, legs: plan(wider).legs })
    lists = [...lists, ...again]
  }
  finish()
  const unknown = question.unknown.filter((word) => !isAnswered(word, lists))
  if (unknown.length > 0) {
    const quoted = unknown.slice(0, mostUnknown).map((word) => `«${escapeText(word, 40)}»`)
    warnings.push(`not understood: ${quoted.join(', ')}`)
  }
  return { lists, meant: question.meant, names, warnings }
}

/** Whether a list is of transactions or patterns. */
function isOfRows({ found }: RankedList): boolean {
  return found.some(({ table }) => table === 'transactions' || table === 'patterns')
}

/** Runs ways of looking, noting what failed; `finish` throws the first failure when nothing else happened. */
function attempts(warnings: string[]): { readonly attempt: Attempt; finish(): void } {
  const failures: unknown[] = []
  let made = 0
  return {
    async attempt(what, work) {
      made += 1
      try {
        return await work()
      } catch (cause) {
        failures.push(cause)
        warnings.push(`${what} could not be searched: ${errorText(cause)}`)
        return undefined
      }
    },
    finish() {
      if (made > 0 && failures.length === made) throw failures[0]
    },
  }
}

/** Whether a text that was found has a word of the question. */
function isAnswered(word: string, lists: readonly RankedList[]): boolean {
  const parts = searchWords(word)
  return lists.some(({ found }) =>
    found.some(({ bm25, words }) => bm25 !== undefined && parts.some((part) => words?.has(part))),
  )
}

/** A row found, as an item of an answer. */
export function describeFound(
  { found, fused, rerank, nearness }: Ranked & { readonly found: ReadFound },
  context: DescribeContext,
): ContextItem {
  const { content, match, distance, bm25, embedder, table } = found
  const description =
    'description' in content
      ? content.description
      : table === 'documents' || table === 'memories'
        ? describeText(table, content.row, context)
        : describeRow(table === 'patterns' ? 'patterns' : 'transactions', content.row, context)
  return {
    ...description,
    score: match === 'newest' ? 0 : nearness,
    distance: match === 'exact' ? 0 : (distance ?? 1),
    provenance: { ...description.provenance, embedder: embedder ?? description.provenance.embedder },
    scores: { distance: distance ?? null, bm25: bm25 ?? null, fused, rerank },
    facts: { match, ...description.facts },
  }
}
