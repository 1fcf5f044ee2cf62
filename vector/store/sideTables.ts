import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Connection, Index, type Table } from '@lancedb/lancedb'
import type { Logger } from 'pino'
import { longestWord } from '../text/searchWords.ts'
import { errorText } from './failure.ts'
import { epochRows, newestOf } from './newestOf.ts'
import { type SideTable, schemaDifference, sideTables, tableSchema } from './schema.ts'

/** The side tables that can be used, and what is to be said of the others. */
export type SideHandles = {
  readonly tables: Readonly<Partial<Record<SideTable, Table>>>
  /** For people: they are among the warnings of every answer. */
  readonly problems: readonly string[]
}

type OpenSideOptions = {
  readonly directory: string
  readonly chainId: bigint
  readonly readOnly: boolean
  /** Whether blocks were ever applied: then a table that is missing was there. */
  readonly isUsed: boolean
}

/**
 * Opens what only people's questions read, and makes what is missing. Never throws for a table: one that cannot be used is left as it
 * is, and done without. Nothing is deleted or overwritten.
 */
export async function openSideTables(
  connection: Connection,
  { directory, chainId, readOnly, isUsed }: OpenSideOptions,
  { logger }: { readonly logger: Logger },
): Promise<SideHandles> {
  const names = new Set(await connection.tableNames())
  const tables: Partial<Record<SideTable, Table>> = {}
  const problems: string[] = []
  const tell = (problem: string, facts: object) => {
    problems.push(problem)
    logger.warn({ directory, ...facts }, problem)
  }
  for (const name of sideTables) {
    const path = join(directory, `${name}.lance`)
    // A folder without versions is what remains when the making of a table was cut short.
    const begun = names.has(name) && existsSync(join(path, '_versions'))
    if (!begun && isUsed) {
      tell(`${name}: the table was missing${readOnly ? '' : ' and was made anew'}. ${remedies[name]}`, {})
    }
    if (!begun && readOnly) continue
    try {
      const table = begun
        ? await connection.openTable(name)
        : await connection.createEmptyTable(name, tableSchema(name, chainId), { mode: 'create' })
      const difference = schemaDifference(await table.schema(), tableSchema(name, chainId))
      if (difference) throw new Error(`expected ${difference.expected}, found ${difference.came}`)
      await checkReadable(table, name)
      if (name === 'memories' && !readOnly) await indexWords(table)
      tables[name] = table
    } catch (cause) {
      const reason = errorText(cause)
      tell(`${name}: the table at ${path} cannot be used: ${reason}. Move it away. ${remedies[name]}`, {
        table: name,
      })
    }
  }
  return { tables, problems }
}

/** Reads a row whole, and of all rows what tells how far the table is. Damage elsewhere shows when it is read. */
async function checkReadable(table: Table, name: SideTable): Promise<void> {
  await table.query().limit(1).toArray()
  await newestOf(table)
  if (name === 'memories') await newestOf(table, epochRows)
}

/** What was in a table that is gone, and where it comes from. */
const remedies: Readonly<Record<SideTable, string>> = {
  memories: 'Summaries are made again from the stored transactions; findings of earlier blocks are lost',
}

/** Full text is searched through an index only; rows it does not hold yet are searched as well. */
export async function indexWords(table: Table): Promise<void> {
  if ((await table.listIndices()).some(({ columns }) => columns.includes('words'))) return
  const config = Index.fts({
    baseTokenizer: 'whitespace',
    lowercase: true,
    stem: true,
    removeStopWords: false,
    asciiFolding: false,
    withPosition: false,
    maxTokenLength: longestWord,
  })
  await table.createIndex('words', { config })
}
