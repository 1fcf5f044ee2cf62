import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Table } from '@lancedb/lancedb'
import type { Documents } from '../documents/openDocuments.ts'
import { embeddedTableName } from '../embed/servingTable.ts'
import type { RowIndex } from '../rows/rowIndex.ts'
import type { MaintenanceEvent, TableStats, VectorStats } from '../types.ts'
import { folderBytes } from './folderBytes.ts'
import { hasVectorIndex } from './maintenance.ts'
import type { Progress } from './progress.ts'
import type { StoreTable } from './schema.ts'

export type StatsSources = {
  readonly directory: string
  readonly tables: Readonly<Record<StoreTable, Table>>
  readonly rows: RowIndex
  readonly documents: Documents
  readonly progress: Progress
  readonly consolidatedTo: bigint | undefined
  readonly embedder: Pick<VectorStats['embedding'], 'wanted' | 'problem'>
  readonly lastOptimize: MaintenanceEvent | undefined
}

const nothing: TableStats = { rows: 0, versions: 0, bytes: 0 }

/** Sizes of the tables as of now; reads the folder's listing, so not for every block. */
export async function readStats(sources: StatsSources): Promise<VectorStats> {
  const { directory, tables, rows, documents, progress } = sources
  // By its folder's name: LanceDB lends a table's own name to one asker at a time, and not while the table works.
  const tableStats = async (name: string, table: Table): Promise<TableStats> => ({
    rows: await table.countRows(),
    // LanceDB's own list opens every one of them, and fails when a compaction removes one meanwhile.
    versions: (await readdir(join(directory, `${name}.lance`, '_versions'))).filter(isManifest).length,
    bytes: await folderBytes(join(directory, `${name}.lance`)),
  })
  return {
    transactions: await tableStats('transactions', tables.transactions),
    patterns: await tableStats('patterns', tables.patterns),
    ...rows.graph.counts(),
    memories: rows.texts.count('memories'),
    documents:
      (await documents.use(({ table, embedder }) =>
        tableStats(embeddedTableName('documents', embedder), table),
      )) ?? nothing,
    bytesOnDisk: await folderBytes(directory),
    asOf: progress.asOf,
    finalized: progress.finalized,
    consolidatedTo: sources.consolidatedTo,
    embedding: {
      embedder: await documents.use(async ({ embedder }) => embedder.id),
      progress: documents.serving?.progress(),
      ...sources.embedder,
    },
    vectorIndex: await hasVectorIndex(tables.transactions),
    lastOptimize: sources.lastOptimize,
    problems: [rows.problem, documents.problem].filter((problem) => problem !== undefined),
  }
}

function isManifest(file: string): boolean {
  return file.endsWith('.manifest')
}
