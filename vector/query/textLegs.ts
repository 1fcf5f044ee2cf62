import type { Table } from '@lancedb/lancedb'
import type { StoredRow } from './describeRow.ts'
import { textColumns } from './describeText.ts'
import type { Found } from './found.ts'
import type { TextLeg } from './planLegs.ts'
import { byDistance, conjunction } from './structuredLegs.ts'

/**
 * Rows with the words, the rarest words counting most (BM25). Of documents, those that write out what the question names are as
 * good as named themselves.
 * @param named digits among the words
 */
export async function rowsByWords(
  { name, where: always }: TextLeg,
  table: Table,
  words: readonly string[],
  named: readonly string[],
  limit: number,
): Promise<readonly Found[]> {
  const query = table
    .query()
    .fullTextSearch(words.join(' '), { columns: ['words'] })
    .select([...textColumns[name], '_score'])
    .limit(limit)
  if (always.length > 0) query.where(conjunction(always))
  const rows: readonly StoredRow[] = await query.toArray()
  return rows
    .map((row) => {
      const found = foundText(name, row, 'words')
      const isNamed = name === 'documents' && named.some((word) => found.words?.has(word))
      const match = isNamed ? ('exact' as const) : found.match
      return { ...found, match, bm25: Number(row._score), coverage: coverageOf(words, found.words!) }
    })
    .sort((a, b) => b.bm25 - a.bm25 || (a.id < b.id ? -1 : 1))
}

/** Parts of documents near a vector of their embedder. */
export async function documentsNear(
  { name, where: always }: TextLeg,
  table: Table,
  vector: Float32Array,
  limit: number,
): Promise<readonly Found[]> {
  const query = table
    .query()
    .nearestTo(vector)
    .distanceType('cosine')
    .select([...textColumns.documents, '_distance'])
    .limit(limit)
  if (always.length > 0) query.where(conjunction(always))
  const rows: readonly StoredRow[] = await query.toArray()
  return rows
    .map((row) => ({ ...foundText(name, row, 'near'), distance: Number(row._distance) }))
    .sort(byDistance)
}

/** Rows that fulfil a condition, the newest first. */
export async function newestTexts(
  { name, where: always }: TextLeg,
  table: Table,
  conditions: readonly string[] | undefined,
  match: 'exact' | 'neighbour' | 'newest',
  limit: number,
): Promise<readonly Found[]> {
  const where = [...always, ...(conditions === undefined ? [] : [conditions.join(' OR ')])]
  const query = table
    .query()
    .select([...textColumns[name]])
    .orderBy([
      { columnName: name === 'memories' ? 'toBlock' : 'addedMs', ascending: false },
      { columnName: 'id', ascending: true },
    ])
    .limit(limit)
  if (where.length > 0) query.where(conjunction(where))
  const rows: readonly StoredRow[] = await query.toArray()
  return rows.map((row) => foundText(name, row, match))
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
    words: new Set(String(row.words).split(' ')),
    content: { row },
  }
}
