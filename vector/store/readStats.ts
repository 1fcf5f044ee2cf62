import type { Dirent } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Table } from '@lancedb/lancedb'
import type { MaintenanceEvent, TableStats, VectorStats } from '../types.ts'
import { hasVectorIndex } from './maintenance.ts'
import type { Progress } from './progress.ts'
import type { StoreTable } from './schema.ts'

/** Sizes of the tables as of now; reads the folder's listing, so not for every block. */
export async function readStats(
  directory: string,
  tables: Readonly<Record<StoreTable, Table>>,
  progress: Progress,
  lastOptimize: MaintenanceEvent | undefined,
): Promise<VectorStats> {
  const tableStats = async (name: StoreTable): Promise<TableStats> => ({
    rows: await tables[name].countRows(),
    versions: (await tables[name].listVersions()).length,
    bytes: await folderBytes(join(directory, `${name}.lance`)),
  })
  return {
    transactions: await tableStats('transactions'),
    patterns: await tableStats('patterns'),
    bytesOnDisk: await folderBytes(directory),
    asOf: progress.asOf,
    finalized: progress.finalized,
    vectorIndex: await hasVectorIndex(tables.transactions),
    lastOptimize,
  }
}

async function folderBytes(folder: string): Promise<number> {
  const entries: Dirent[] = await readdir(folder, { recursive: true, withFileTypes: true })
  let bytes = 0
  for (const entry of entries)
    if (entry.isFile()) bytes += await fileBytes(join(entry.parentPath, entry.name))
  return bytes
}

async function fileBytes(path: string): Promise<number> {
  try {
    return (await stat(path)).size
  } catch (error) {
    // Compaction may remove a file between the listing and here.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0
    throw error
  }
}
