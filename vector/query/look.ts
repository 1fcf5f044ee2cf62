import type { DocumentNames } from '../documents/documentNames.ts'
import type { Documents } from '../documents/openDocuments.ts'
import type { EmbedderRecord } from '../embed/openEmbedder.ts'
import { type GraphSources, openGraph } from '../graph/graphReader.ts'
import type { Found, RankedList } from './found.ts'
import { describeNeighbours, findEntities } from './graphLegs.ts'
import type { Legs } from './planLegs.ts'
import { isIn } from './queryConditions.ts'
import type { Question } from './readQuestion.ts'
import { byDistance, nearestRows, newestRows } from './structuredLegs.ts'
import { documentsNear, newestTexts, rowsByWords } from './textLegs.ts'

/** Runs a way of looking; when it fails, the others answer without it, and a warning says what is missing. */
export type Attempt = <T>(what: string, look: () => Promise<T>) => Promise<T | undefined>

export type LookContext = {
  readonly legs: Legs
  /** Items asked for. */
  readonly limit: number
  /** The block that is the newest, as far as the question is concerned; undefined in an empty store. */
  readonly asOf: bigint | undefined
  readonly finalized: bigint | undefined
  readonly names: DocumentNames
  readonly graph: GraphSources
  /** What questions to documents are embedded with. Throws why that cannot be. */
  readonly embed: (text: string, of: EmbedderRecord) => Promise<Float32Array>
  readonly documents: Pick<Documents, 'use' | 'vectors'>
  readonly attempt: Attempt
}

/** Of an entity that a question names a few edges are told: to add up four times as many of a busy contract would take 3 ms. */
const mostIncrements = 256
/** Entities shown for what words stand for, at most. */
const mostMeant = 2

/** Everything found, a list for each way of looking, always in the same order. */
export async function look(question: Question, context: LookContext): Promise<readonly RankedList[]> {
  const { legs, limit, attempt } = context
  // More than are shown: fusion and variety choose among them.
  const wanted = Math.max(limit, Math.min(4 * limit, 200))
  // Half as many texts: with twice of them judged answers are no better.
  const wantedTexts = Math.max(limit, Math.min(2 * limit, 200))
  const exact = await lists('exact', [
    ...legs.structured.flatMap((leg) =>
      leg.exact === undefined ? [] : [attempt(leg.name, () => newestRows(leg, leg.exact, 'exact', limit))],
    ),
    ...legs.texts.flatMap((leg) =>
      leg.exact === undefined
        ? []
        : [attempt(leg.name, async () => newestTexts(leg, leg.exact, 'exact', limit))],
    ),
  ])
  const isEnough = exact.reduce((sum, { found }) => sum + found.length, 0) >= limit
  const others = await Promise.all([
    isEnough ? [] : nearRows(question, context, wanted),
    isEnough ? [] : newest(question, context),
    isEnough ? [] : meantRows(question, context, wanted),
    byWords(question, context, wantedTexts),
    nearDocuments(question, context, wantedTexts),
    around(context, wanted),
    byGraph(question, context, wanted),
  ])
  return [...exact, ...others.flat()]
}

/** What is found in transactions and patterns by what words stand for, and near them. */
export async function lookAtRows(question: Question, context: LookContext): Promise<readonly RankedList[]> {
  const wanted = Math.max(context.limit, Math.min(4 * context.limit, 200))
  const found = await Promise.all([nearRows(question, context, wanted), meantRows(question, context, wanted)])
  return found.flat()
}

/** Of rows: their vectors are of one space, so they make one list. */
async function nearRows(
  { vector, meant }: Question,
  { legs, attempt }: LookContext,
  wanted: number,
): Promise<readonly RankedList[]> {
  if (!vector) return []
  const mustRead = meant.contracts.length > 0 || meant.selectors.length > 0
  const found = await Promise.all(
    legs.structured.map((leg) => attempt(leg.name, () => nearestRows(leg, vector, wanted, mustRead))),
  )
  return listOf('vector', found.flatMap((rows) => rows ?? []).sort(byDistance))
}

/** Rows that merely fit, when there is nothing to look for; a question that names rows wants those only. */
async function newest(
  { vector, query }: Question,
  { legs, limit, attempt }: LookContext,
): Promise<readonly RankedList[]> {
  const isNamed = legs.structured.some((leg) => leg.exact !== undefined)
  if (vector || isNamed || query.open.length > 0) return []
  // Documents have a list of their own; among newest rows they come only when asked for.
  const texts = legs.texts.filter(({ name }) => name === 'memories' || query.kinds.includes('document'))
  return lists('newest', [
    ...legs.structured.map((leg) => attempt(leg.name, () => newestRows(leg, undefined, 'newest', limit))),
    ...texts.map((leg) => attempt(leg.name, async () => newestTexts(leg, undefined, 'newest', limit))),
  ])
}

/** Rows of the contracts that words stand for, of the calls meant where any are. */
async function meantRows(
  { meant: { contracts, selectors }, query }: Question,
  { legs, attempt }: LookContext,
  wanted: number,
): Promise<readonly RankedList[]> {
  // A side that is given in digits is not for words to choose.
  if (contracts.length === 0 || query.to.length > 0 || query.addresses.length > 0) return []
  const calls = selectors.length > 0 ? isIn('selector', selectors) : undefined
  return lists(
    'meant',
    legs.structured.flatMap((leg) => {
      const of = (column: string) => contracts.map((contract) => isIn(column, [contract]))
      const targets = of(leg.name === 'patterns' ? 'contract' : 'to')
      const ways = [
        ...(calls === undefined ? [] : [targets.map((target) => `${target} AND ${calls}`)]),
        targets,
        ...(leg.name === 'patterns' ? [] : [of('from')]),
      ]
      return ways.map((conditions) => attempt(leg.name, () => newestRows(leg, conditions, 'words', wanted)))
    }),
  )
}

function byWords(
  { words, entities, query }: Question,
  { legs, attempt }: LookContext,
  wanted: number,
): Promise<readonly RankedList[]> {
  if (words.length === 0) return Promise.resolve([])
  const named = [...entities, ...query.selectors, ...query.hashes]
  return lists(
    'text',
    legs.texts.map((leg) => attempt(leg.name, async () => rowsByWords(leg, words, named, wanted))),
  )
}

/** By the embedder of documents, which knows text and no rows. */
async function nearDocuments(
  { query }: Question,
  { legs, attempt, documents, embed }: LookContext,
  wanted: number,
): Promise<readonly RankedList[]> {
  const leg = legs.texts.find(({ name }) => name === 'documents')
  if (!leg || query.words.length === 0) return []
  return lists('vector', [
    attempt('documents by vector', async () =>
      documents.use(async ({ table, embedder }) => {
        if ((await documents.vectors.of(table))?.size === 0) return []
        const vector = await embed(query.words.join(' '), embedder)
        const near = await documentsNear(leg, { table, vectors: documents.vectors }, vector, wanted)
        return near.map((found) => ({ ...found, embedder: embedder.id }))
      }),
    ),
  ])
}

/** Texts about what the question names. */
function around({ legs, attempt }: LookContext, wanted: number): Promise<readonly RankedList[]> {
  return lists(
    'graph',
    legs.texts.flatMap((leg) =>
      leg.around === undefined
        ? []
        : [attempt(leg.name, async () => newestTexts(leg, [leg.around!], 'neighbour', wanted))],
    ),
  )
}

/** The entities a question names, and what is kept about those beside them. */
async function byGraph(
  { query, entities, meant }: Question,
  context: LookContext,
  wanted: number,
): Promise<readonly RankedList[]> {
  const { legs, limit, asOf, finalized, names, attempt } = context
  // Whoever asks for transactions is answered with them alone.
  const isWanted = legs.hasEntities || legs.texts.some(({ name }) => name === 'documents')
  if (!isWanted) return []
  // Words that may stand for many say too little to tell of each.
  const ids = entities.length > 0 ? entities : meant.contracts.slice(0, mostMeant + 1)
  if (ids.length > mostMeant && entities.length === 0) return []
  if (ids.length === 0 || asOf === undefined) return []
  const match = entities.length > 0 ? 'exact' : 'words'
  const found = await attempt('graph', async () => {
    const graph = openGraph(context.graph, asOf, mostIncrements)
    const { named, neighbours } = findEntities(graph, ids, { finalized, names }, match)
    const asked = legs.hasEntities && query.kinds.includes('entity')
    return {
      named: legs.hasEntities ? named : [],
      near: asked ? describeNeighbours(graph, neighbours, { finalized, names }) : [],
      neighbours,
    }
  })
  if (!found) return []
  const { named, near, neighbours } = found
  const beside = isIn('contract', neighbours)
  const patterns = legs.structured.find(({ name }) => name === 'patterns')
  const documents = legs.texts.find(({ name }) => name === 'documents')
  const texts = await lists(
    'graph',
    neighbours.length === 0
      ? []
      : [
          patterns && attempt(patterns.name, () => newestRows(patterns, [beside], 'neighbour', limit)),
          documents &&
            attempt(documents.name, async () => newestTexts(documents, [beside], 'neighbour', wanted)),
        ],
  )
  return [...listOf('graph', named), ...listOf('graph', near), ...texts]
}

async function lists(
  leg: RankedList['leg'],
  looks: readonly (Promise<readonly Found[] | undefined> | undefined)[],
): Promise<readonly RankedList[]> {
  return (await Promise.all(looks)).flatMap((found) => listOf(leg, found ?? []))
}

function listOf(leg: RankedList['leg'], found: readonly Found[]): readonly RankedList[] {
  return found.length === 0 ? [] : [{ leg, found }]
}
