import type { RowIndex } from '../rows/rowIndex.ts'
import type { LinkSource } from './readLinks.ts'

/** A stored transaction as far as graph and memories are made of it. */
export type SourceRow = LinkSource & { readonly route: string }

const columns = [
  'transactionHash',
  'blockNumber',
  'transactionIndex',
  'from',
  'to',
  'selector',
  'value',
  'calldataBytes',
  'calldataHead',
  'svm',
  'route',
  'outcome',
] as const
const noValue = '0'.repeat(78)

/** Rows of blocks from `first` to `last`. Throws what SQLite throws. */
export function readTransactions(
  rows: Pick<RowIndex, 'between'>,
  first: bigint,
  last: bigint,
): readonly SourceRow[] {
  return rows.between(first, last, columns).map((row) => ({
    blockNumber: row.blockNumber as bigint,
    transactionIndex: Number(row.transactionIndex),
    transactionHash: String(row.transactionHash),
    from: String(row.from),
    to: String(row.to),
    selector: String(row.selector),
    value: row.value === noValue ? 0n : BigInt(row.value as string),
    calldataBytes: Number(row.calldataBytes),
    calldataHead: String(row.calldataHead),
    svm: row.svm as boolean,
    route: String(row.route),
    outcome: String(row.outcome),
  }))
}
