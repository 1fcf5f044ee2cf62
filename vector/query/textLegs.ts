import type { Table } from '@lancedb/lancedb'
import { type DocumentVectors, toUnitLength } from '../held/documentVectors.ts'
import type { StoredRow } from './describeRow.ts'
import type { Found } from './found.ts'
import type { TextLeg } from './planLegs.ts'
import { byDistance } from './structuredLegs.ts'
import { wordSet } from './wordSets.ts'

/** Parts of documents that fit conditions up to which their vectors are compared one by one. */
const mostCompared = 1_000
/** Parts looked at for each that is wanted, where conditions leave more. */
const looked = 10

/**
 * Rows with the words, the rarest words counting most (BM25). Of documents, those that write out what the question names are as
 * good as named themselves.
 * @param named digits among the words
 */
export function rowsByWords(
  { name, texts, where }: TextLeg,
  words: readonly string[],
  named: readonly string[],
  limit: number,
): readonly Found[] {
  return texts.byWords(name, words, where, limit, named).map(({ row, bm25 }) => {
    const found = foundText(name, row, 'words')
    const isNamed = name === 'documents' && named.some((word) => found.words?.has(word))
    const match = isNamed ? ('exact' as const) : found.match
    return { ...found, match, bm25, coverage: coverageOf(words, found.words!) }
  })
}

/** Parts of documents near a vector of their embedder, nearest first. */
export async function documentsNear(
  leg: TextLeg,
  { table, vectors }: { readonly table: Table; readonly vectors: DocumentVectors },
  vector: Float32Array,
  limit: number,
): Promise<readonly Found[]> {
  const known = await vectors.of(table)
  if (!known) return documentsNearInTable(leg, table, vector, limit)
  const [first] = known.values()
  if (first && first.length !== vector.length)
    throw new Error(`expected vectors of ${vector.length} components in ${table.name}, got ${first.length}`)
  const question = toUnitLength(vector)
  // Of the built-in embedder's components a question has a few.
  const components = Uint32Array.from([...question.keys()].filter((at) => question[at] !== 0))
  const near = Array.from(known, ([id, other]) => {
    let product = 0
    for (const at of components) product += question[at]! * other[at]!
    return { id, distance: 1 - product }
  }).sort(byDistance)
  const found: Found[] = []
  const step = leg.where.length === 0 ? limit : looked * limit
  for (let at = 0; at < near.length && found.length < limit; at += step)
    found.push(
      ...readParts(leg, new Map(near.slice(at, at + step).map(({ id, distance }) => [id, distance]))),
    )
  return found.slice(0, limit)
}

async function documentsNearInTable(
  leg: TextLeg,
  table: Table,
  vector: Float32Array,
  limit: number,
): Promise<readonly Found[]> {
  const { name, texts, where } = leg
  const query = table.query().nearestTo(vector).distanceType('cosine').select(['id', '_distance'])
  if (where.length === 0) query.limit(limit)
  else {
    const fitting = texts.newest(name, where, mostCompared + 1)
    if (fitting.length === 0) return []
    if (fitting.length > mostCompared) query.limit(limit * looked)
    else query.where(`\`id\` IN (${fitting.map(({ id }) => `'${id}'`).join(', ')})`).limit(limit)
  }
  const near: readonly StoredRow[] = await query.toArray()
  return readParts(leg, new Map(near.map(({ id, _distance }) => [String(id), Number(_distance)]))).slice(
    0,
    limit,
  )
}

/** What is there of parts, and fulfils the conditions, nearest first. */
function readParts(
  { name, texts, where }: TextLeg,
  distances: ReadonlyMap<string, number>,
): readonly Found[] {
  return texts
    .byIds(name, [...distances.keys()], where)
    .map((row) => ({ ...foundText(name, row, 'near'), distance: distances.get(String(row.id))! }))
    .sort(byDistance)
}

/** Rows that fulfil any of some conditions, the newest first. */
export function newestTexts(
  { name, texts, where }: TextLeg,
  conditions: readonly string[] | undefined,
  match: 'exact' | 'neighbour' | 'newest',
  limit: number,
): readonly Found[] {
  const any = conditions === undefined ? [] : [conditions.join(' OR ')]
  return texts.newest(name, [...where, ...any], limit).map((row) => foundText(name, row, match))
}

/** The share of a question's words that a text has, in one form or another. */
function coverageOf(words: readonly string[], text: ReadonlySet<string>): number {
  const all = [...text]
  const has = (word: string) => text.has(word) || all.some((other) => isForm(word, other))
  return words.filter(has).length / words.length
}

/** `approve` and `approval`, `revert` and `reverting`: alike but for at most three last letters of the shorter. */
function isForm(a: string, b: string): boolean {
  // Nearly all differ here already, and there are millions of pairs in a long question.
  if (a.charCodeAt(0) !== b.charCodeAt(0)) return false
  const shorter = Math.min(a.length, b.length)
  if (shorter < 5 || Math.abs(a.length - b.length) > 4 || a.startsWith('0x')) return false
  return a.slice(0, Math.max(4, shorter - 2)) === b.slice(0, Math.max(4, shorter - 2))
}

function foundText(name: TextLeg['name'], row: StoredRow, match: Found['match']): Found {
  return {
    table: name,
    id: String(row.id),
    match,
    writtenAt: name === 'memories' ? (row.toBlock as bigint) : undefined,
    words: wordSet(String(row.words)),
    content: { row },
  }
}
