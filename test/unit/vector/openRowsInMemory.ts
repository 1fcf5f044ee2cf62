import { DatabaseSync } from 'node:sqlite'
import { createRowIndex, type RowIndex } from '../../../vector/rows/rowIndex.ts'
import { createIndices, createTables } from '../../../vector/rows/rowSchema.ts'

/** The row index of a chain that has no rows yet. */
export function openRowsInMemory(): RowIndex {
  const database = new DatabaseSync(':memory:')
  for (const statement of [...createTables, ...createIndices]) database.exec(statement)
  database.exec(`INSERT INTO reached("chainId") VALUES ('1337')`)
  return createRowIndex(database)
}
