import type { Table } from 'apache-arrow'
import { arrowTable } from '../store/arrowTable.ts'
import { tableSchema } from '../store/schema.ts'
import type { EdgeIncrement, EntityIncrement } from './increments.ts'

/** The blocks an increment is of. */
export type Epoch = { readonly fromBlock: bigint; readonly toBlock: bigint }

/** The batch LanceDB is given for what epochs add to the edges. */
export function encodeEdges(rows: readonly (EdgeIncrement & Epoch)[], chainId: bigint): Table {
  return arrowTable(tableSchema('edges', chainId), rows.length, {
    kind: rows.map((row) => row.kind),
    source: rows.map((row) => row.source),
    target: rows.map((row) => row.target),
    token: rows.map((row) => row.token),
    fromBlock: rows.map((row) => row.fromBlock),
    toBlock: rows.map((row) => row.toBlock),
    count: rows.map((row) => row.count),
    failed: rows.map((row) => row.failed),
    value: rows.map((row) => String(row.value)),
    firstBlock: rows.map((row) => row.firstBlock),
    lastBlock: rows.map((row) => row.lastBlock),
    lastIndex: rows.map((row) => row.lastIndex),
  })
}

/** The batch LanceDB is given for what epochs add to the entities. */
export function encodeEntities(rows: readonly (EntityIncrement & Epoch)[], chainId: bigint): Table {
  return arrowTable(tableSchema('entities', chainId), rows.length, {
    id: rows.map((row) => row.id),
    kind: rows.map((row) => row.kind),
    fromBlock: rows.map((row) => row.fromBlock),
    toBlock: rows.map((row) => row.toBlock),
    count: rows.map((row) => row.count),
    failed: rows.map((row) => row.failed),
    firstBlock: rows.map((row) => row.firstBlock),
    lastBlock: rows.map((row) => row.lastBlock),
    lastIndex: rows.map((row) => row.lastIndex),
  })
}
