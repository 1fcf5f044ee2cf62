import type { DatabaseSync, SQLInputValue, SQLOutputValue } from 'node:sqlite'
import { conjunction } from '../filter/conjunction.ts'
import type { StoredRow } from '../query/describeRow.ts'
import { documentFields } from '../store/schema.ts'
import { inTransaction } from './inTransaction.ts'
import { type RowColumn, rowColumn } from './rowColumn.ts'
import { createStatements } from './statements.ts'

/** Tables of texts, which are looked up by what they name and by their words. */
export type TextTable = 'memories' | 'documents'

const text = (name: string): RowColumn => ({ name, kind: 'text' })
const integer = (name: string): RowColumn => ({ name, kind: 'integer' })

export const textColumns: Readonly<Record<TextTable, readonly RowColumn[]>> = {
  memories: [
    text('id'),
    text('memoryKind'),
    text('name'),
    // Ids of entities, separated by spaces, the one most concerned first.
    text('subjects'),
    integer('fromBlock'),
    integer('toBlock'),
    integer('risk'),
    text('text'),
    text('words'),
  ],
  documents: documentFields.map(rowColumn),
}

/** By age, the newest first. */
const ageOf: Readonly<Record<TextTable, string>> = { memories: 'toBlock', documents: 'addedMs' }

export const createTextTables: readonly string[] = [
  ...(['memories', 'documents'] as const).flatMap((table) => [
    `CREATE TABLE ${table}(${textColumns[table]
      .map(({ name, kind }) => `"${name}" ${kind === 'integer' ? 'INTEGER' : 'TEXT'} NOT NULL`)
      .join(', ')}) STRICT`,
    `CREATE UNIQUE INDEX ${table}ById ON ${table}("id")`,
    `CREATE INDEX ${table}ByAge ON ${table}("${ageOf[table]}", "id")`,
    `CREATE VIRTUAL TABLE ${table}Words USING fts5("words", content='', contentless_delete=1,
      tokenize="porter unicode61 remove_diacritics 0 tokenchars '_'")`,
    `CREATE TRIGGER ${table}Added AFTER INSERT ON ${table} BEGIN
      INSERT INTO ${table}Words(rowid, "words") VALUES (new.rowid, new."words"); END`,
    `CREATE TRIGGER ${table}Removed AFTER DELETE ON ${table} BEGIN
      DELETE FROM ${table}Words WHERE rowid = old.rowid; END`,
  ]),
  'CREATE INDEX documentsByDocument ON documents("documentId")',
  'CREATE INDEX documentsByContract ON documents("contract")',
  'CREATE INDEX documentsBySelector ON documents("selector")',
]

/** Words of a question that are looked for, at most. */
const mostWords = 64
/** Occurrences looked at for one question: words that have more of them say next to nothing. */
const mostOccurrences = 1_000

/** A text, and how well it fits: BM25, larger is better. */
export type ScoredText = { readonly row: StoredRow; readonly bm25: number }

/**
 * What was noticed and summed up (`memories`), and what people added (`documents`, whose vectors are LanceDB's). Calls are synchronous;
 * they throw what SQLite throws. Conditions are SQL over the columns, of checked values.
 */
export type TextRows = {
  /** Adds rows, each in the place of one with its id: all of them or, when it throws, none. */
  add(table: TextTable, rows: Iterable<StoredRow>): void
  removeDocument(documentId: string): void
  count(table: TextTable): number
  /** How many parts each document has. */
  documents(): ReadonlyMap<string, number>
  /** Changes with every change of documents, in whichever process. */
  documentsVersion(): number
  newest(table: TextTable, where: readonly string[], limit: number): readonly StoredRow[]
  /** Without those that do not fulfil the conditions, in no order. */
  byIds(table: TextTable, ids: readonly string[], where: readonly string[]): readonly StoredRow[]
  /**
   * Texts with any of the words, in any of their forms, best first. Words that very many texts have say nothing, but for those that name
   * something: of these the newest texts come.
   * @param words letters, digits and `_`
   * @param named those of them that name something
   */
  byWords(
    table: TextTable,
    words: readonly string[],
    where: readonly string[],
    limit: number,
    named?: readonly string[],
  ): readonly ScoredText[]
}

export function createTextRows(database: DatabaseSync): TextRows {
  const statements = createStatements(database)
  const changedDocuments = () => database.exec('UPDATE reached SET "documents" = "documents" + 1')
  const readVersion = database.prepare('SELECT "documents" FROM reached')
  const readDocuments = database.prepare(
    'SELECT "documentId" AS id, count(*) AS parts FROM documents GROUP BY "documentId"',
  )

  return {
    add(table, rows) {
      const columns = textColumns[table]
      const names = columns.map(({ name }) => `"${name}"`).join(', ')
      const places = columns.map(() => '?').join(', ')
      // Not OR REPLACE, which tells no trigger of what goes.
      const remove = database.prepare(`DELETE FROM ${table} WHERE "id" = ?`)
      const insert = database.prepare(`INSERT INTO ${table}(${names}) VALUES (${places})`)
      inTransaction(database, () => {
        for (const row of rows) {
          remove.run(String(row.id))
          insert.run(...columns.map(({ name }) => row[name] as SQLInputValue))
        }
        if (table === 'documents') changedDocuments()
      })
    },
    removeDocument(documentId) {
      inTransaction(database, () => {
        database.prepare('DELETE FROM documents WHERE "documentId" = ?').run(documentId)
        changedDocuments()
      })
    },
    count: (table) => Number(statements.of(`SELECT count(*) AS rows FROM ${table}`).get()?.rows),
    documents: () => new Map(readDocuments.all().map(({ id, parts }) => [String(id), Number(parts)])),
    documentsVersion: () => Number(readVersion.get()?.documents),
    newest(table, where, limit) {
      const fits = where.length === 0 ? '' : ` WHERE ${conjunction(where)}`
      return select(table, `FROM ${table}${fits} ORDER BY "${ageOf[table]}" DESC, "id" ASC LIMIT ?`, [limit])
    },
    byIds(table, ids, where) {
      if (ids.length === 0) return []
      const isOne = '"id" IN (SELECT value FROM json_each(?))'
      return select(table, `FROM ${table} WHERE ${conjunction([isOne, ...where])}`, [JSON.stringify(ids)])
    },
    byWords(table, words, where, limit, named = []) {
      const index = `${table}Words`
      const chosen = choose(table, words, named)
      if (chosen.length === 0) return []
      const isRanked = chosen[0]!.count <= mostOccurrences
      const match = chosen.map(({ word }) => `"${word}"`).join(' OR ')
      // What is there joins what is not asked for: without a condition no row is read but those that are shown.
      const { statement, values } = statements.ofQuestion(
        where.length === 0
          ? `SELECT rowid AS place, rank AS rank FROM ${index} WHERE ${index} MATCH ? ORDER BY ${isRanked ? 'rank' : 'rowid DESC'} LIMIT ?`
          : `SELECT ${table}.rowid AS place, ${index}.rank AS rank FROM ${index} JOIN ${table} ON ${table}.rowid = ${index}.rowid
                WHERE ${index} MATCH ? AND ${conjunction(where)} ORDER BY ${isRanked ? `${index}.rank` : `${index}.rowid DESC`} LIMIT ?`,
        [match, limit],
      )
      const found = statement.all(...values)
      const ranks = new Map(found.map(({ place, rank }) => [BigInt(Number(place)), Number(rank)]))
      const rows = select(
        table,
        `, rowid AS place FROM ${table} WHERE rowid IN (SELECT value FROM json_each(?))`,
        [JSON.stringify([...ranks.keys()].map(Number))],
      )
      return rows
        .map(({ place, ...row }) => ({ row, bm25: -ranks.get(place as bigint)! }))
        .sort((a, b) => b.bm25 - a.bm25 || (a.row.id! < b.row.id! ? -1 : 1))
    },
  }

  /** The rarest of the words, as many as have no more occurrences than are looked at; else one that names something. */
  function choose(table: TextTable, words: readonly string[], named: readonly string[]) {
    const index = `${table}Words`
    const count = statements.of(
      `SELECT count(*) AS rows FROM (SELECT 1 FROM ${index} WHERE ${index} MATCH ? LIMIT ${mostOccurrences + 1})`,
    )
    const known = [...new Set(words)]
      .slice(0, mostWords)
      .map((word) => ({ word, count: Number(count.get(`"${word}"`)?.rows) }))
      .filter((each) => each.count > 0)
      .sort((a, b) => a.count - b.count)
    let sum = 0
    const rarest = known.filter(({ count }) => {
      sum += count
      return sum <= mostOccurrences
    })
    return rarest.length > 0 ? rarest : known.filter(({ word }) => named.includes(word)).slice(0, 1)
  }

  function select(table: TextTable, rest: string, given: readonly SQLInputValue[]): readonly StoredRow[] {
    const names = textColumns[table].map(({ name }) => `"${name}"`).join(', ')
    const { statement, values } = statements.ofQuestion(`SELECT ${names} ${rest}`, given)
    statement.setReadBigInts(true)
    return statement.all(...values) as Record<string, SQLOutputValue>[] as StoredRow[]
  }
}
