import type { Table } from '@lancedb/lancedb'
import type { Vector } from 'apache-arrow'
import type { LinkSource } from './readLinks.ts'

/** A stored transaction as far as graph and memories are made of it. */
export type SourceRow = LinkSource & { readonly route: string }

const texts = [
  'transactionHash',
  'from',
  'to',
  'selector',
  'value',
  'calldataHead',
  'route',
  'outcome',
] as const
const others = ['blockNumber', 'transactionIndex', 'calldataBytes', 'svm'] as const

/** Rows of blocks from `first` to `last`, in no order. Throws what LanceDB throws. */
export async function readTransactions(
  transactions: Table,
  first: bigint,
  last: bigint,
): Promise<readonly SourceRow[]> {
  const batch = await transactions
    .query()
    .where(`\`blockNumber\` >= ${first} AND \`blockNumber\` <= ${last}`)
    .select([...texts, ...others])
    .toArrow()
  // An empty result has no usable columns.
  if (batch.numRows === 0) return []
  const column = (name: string) => batch.getChild(name) as Vector
  const text = (name: (typeof texts)[number]) => readTexts(column(name))
  const transactionHash = text('transactionHash')
  const from = text('from')
  const to = text('to')
  const selector = text('selector')
  const value = text('value')
  const calldataHead = text('calldataHead')
  const route = text('route')
  const outcome = text('outcome')
  const blockNumber = column('blockNumber')
  const transactionIndex = column('transactionIndex')
  const calldataBytes = column('calldataBytes')
  const svm = column('svm')
  return Array.from({ length: batch.numRows }, (_, row) => ({
    blockNumber: blockNumber.get(row) as bigint,
    transactionIndex: Number(transactionIndex.get(row)),
    transactionHash: transactionHash[row]!,
    from: from[row]!,
    to: to[row]!,
    selector: selector[row]!,
    value: value[row] === noValue ? 0n : BigInt(value[row]!),
    calldataBytes: Number(calldataBytes.get(row)),
    calldataHead: calldataHead[row]!,
    svm: svm.get(row) as boolean,
    route: route[row]!,
    outcome: outcome[row]!,
  }))
}

const noValue = '0'.repeat(78)

/**
 * A column of texts in ASCII, as all of these are: decoded at once and cut, where Arrow would decode each by itself, at five times
 * the cost.
 */
function readTexts(vector: Vector): readonly string[] {
  return vector.data.flatMap(({ values, valueOffsets, length }) => {
    const offsets = valueOffsets as Int32Array
    const bytes = values as Uint8Array
    const start = offsets[0]!
    const all = Buffer.from(bytes.buffer, bytes.byteOffset + start, offsets[length]! - start).toString(
      'latin1',
    )
    return Array.from({ length }, (_, row) => all.slice(offsets[row]! - start, offsets[row + 1]! - start))
  })
}
