import type { StoredRow } from '../query/describeRow.ts'
import { searchText } from '../text/searchWords.ts'
import type { MemoryRow } from './types.ts'

/** A memory as its columns hold it. */
export function storedMemory(row: MemoryRow): StoredRow {
  const subjects = row.subjects.join(' ')
  return {
    ...row,
    subjects,
    risk: BigInt(row.risk),
    words: searchText(`${row.name} ${subjects} ${row.text}`),
  }
}
