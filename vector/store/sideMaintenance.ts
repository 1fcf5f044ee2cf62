import { Index, type Table } from '@lancedb/lancedb'
import { errorText } from './failure.ts'
import { lookedUp, type SideTable } from './schema.ts'

/** Rows below which a look-up reads the column faster than an index. */
const indexAbove = 5_000

export type SideMaintenance = {
  /** Notes that a table was written. */
  wrote(name: SideTable | 'documents'): void
  /** Compacts what was written since the last time, and makes the look-ups' indices once they pay. What went wrong, in words. */
  optimize(cleanupOlderThan: Date): Promise<readonly string[]>
}

/**
 * Keeps the side tables small and fast.
 * @param withTable runs work with a table that stays for as long as that takes; where there is none, nothing
 */
export function createSideMaintenance(
  withTable: (name: SideTable | 'documents', work: (table: Table) => Promise<void>) => Promise<unknown>,
): SideMaintenance {
  const written = new Set<SideTable | 'documents'>()

  return {
    wrote(name) {
      written.add(name)
    },
    async optimize(cleanupOlderThan) {
      const problems: string[] = []
      for (const name of written) {
        written.delete(name)
        try {
          await withTable(name, async (table) => {
            await table.optimize({ cleanupOlderThan })
            if (name !== 'documents') await indexLookUps(table, lookedUp[name])
          })
        } catch (cause) {
          problems.push(`${name}: ${errorText(cause)}`)
        }
      }
      return problems
    },
  }
}

async function indexLookUps(table: Table, columns: readonly string[]): Promise<void> {
  if (columns.length === 0 || (await table.countRows()) < indexAbove) return
  const present = new Set((await table.listIndices()).flatMap((index) => index.columns))
  for (const column of columns)
    if (!present.has(column)) await table.createIndex(column, { config: Index.btree() })
}
