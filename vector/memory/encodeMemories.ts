import type { Table } from 'apache-arrow'
import { arrowTable } from '../store/arrowTable.ts'
import { tableSchema } from '../store/schema.ts'
import { searchText } from '../text/searchWords.ts'
import type { MemoryRow } from './types.ts'

/** The batch LanceDB is given for memories. */
export function encodeMemories(rows: readonly MemoryRow[], chainId: bigint): Table {
  return arrowTable(tableSchema('memories', chainId), rows.length, {
    id: rows.map((row) => row.id),
    memoryKind: rows.map((row) => row.memoryKind),
    name: rows.map((row) => row.name),
    subjects: rows.map((row) => row.subjects.join(' ')),
    fromBlock: rows.map((row) => row.fromBlock),
    toBlock: rows.map((row) => row.toBlock),
    risk: rows.map((row) => row.risk),
    text: rows.map((row) => row.text),
    words: rows.map((row) => searchText(`${row.name} ${row.subjects.join(' ')} ${row.text}`)),
  })
}
