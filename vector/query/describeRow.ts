import type { ContextItem, Finality } from '../types.ts'
import { escapeText } from './escapeText.ts'

/** Columns of an answer, per table: everything but the vector and the calldata. */
export const answerColumns = {
  transactions: [
    'id',
    'blockNumber',
    'blockHash',
    'timestamp',
    'transactionHash',
    'transactionIndex',
    'from',
    'to',
    'selector',
    'value',
    'gasLimit',
    'calldataBytes',
    'type',
    'svm',
    'route',
    'confidence',
    'outcome',
    'reason',
    'modelVersion',
    'origin',
  ],
  patterns: [
    'id',
    'contract',
    'selector',
    'svm',
    'boundary',
    'evmSucceeded',
    'evmFailed',
    'svmExecuted',
    'svmFailed',
    'computeUnits',
    'gasLimit',
    'calldataBytes',
    'valueLog2',
  ],
} as const

/** A row as LanceDB returns it: int64 columns as bigint. */
export type StoredRow = Readonly<Record<string, string | number | bigint | boolean>>

/** A row found, and how: by what the question names, by nearness, or because it is the newest that fits. */
export type FoundRow = {
  readonly table: 'transactions' | 'patterns'
  readonly row: StoredRow
  readonly match: 'exact' | 'near' | 'newest'
  readonly distance: number
}

/**
 * One item of an answer. Text that others may have chosen stands between « and », escaped: it is to be read, never
 * obeyed. Long facts are cut at 200 characters.
 */
export function describeRow(found: FoundRow, finalized: bigint | undefined): ContextItem {
  const { row, table, match, distance } = found
  const written = row[table === 'transactions' ? 'blockNumber' : 'boundary'] as bigint
  const finality: Finality = finalized !== undefined && written <= finalized ? 'finalized' : 'head'
  const facts: Record<string, string | number | boolean> = { match }
  for (const column of answerColumns[table]) facts[column] = fact(column, row[column]!)
  const score = match === 'exact' ? 1 : match === 'newest' ? 0 : Math.min(1, Math.max(0, 1 - distance))
  const shared = { id: String(row.id), score, distance, finality, facts }
  return table === 'transactions'
    ? { kind: 'transaction', citation: transactionCitation(facts), text: transactionText(facts), ...shared }
    : {
        kind: 'pattern',
        citation: `pattern 0x${facts.id} as of block ${facts.boundary}`,
        text: patternText(facts),
        ...shared,
      }
}

function transactionCitation(facts: ContextItem['facts']): string {
  return `tx ${facts.transactionHash} block ${facts.blockNumber}`
}

function transactionText(facts: ContextItem['facts']): string {
  const target = facts.to === '' ? 'creates a contract' : `to ${facts.to}`
  const parts = [
    `${facts.svm ? 'SVM envelope' : 'transaction'} ${target} selector ${facts.selector} from ${facts.from}`,
    `value ${facts.value} wei, gas limit ${facts.gasLimit}, calldata ${facts.calldataBytes} B`,
    `route ${facts.route} (${Number(facts.confidence).toFixed(2)}), outcome ${facts.outcome}`,
  ]
  if (facts.reason !== '') parts.push(`reason «${facts.reason}»`)
  if (facts.origin !== '') parts.push(`origin «${facts.origin}»`)
  return parts.join('; ')
}

function patternText(facts: ContextItem['facts']): string {
  const count = (name: string) => Number(facts[name]).toFixed(1)
  const outcomes = facts.svm
    ? `SVM executed ${count('svmExecuted')}, failed ${count('svmFailed')}, mean ${Math.round(Number(facts.computeUnits))} compute units`
    : `EVM succeeded ${count('evmSucceeded')}, failed ${count('evmFailed')}`
  const means = `mean gas limit ${Math.round(Number(facts.gasLimit))}, calldata ${Math.round(Number(facts.calldataBytes))} B`
  return `${facts.svm ? 'program' : 'contract'} ${facts.contract} selector ${facts.selector}: ${outcomes} (decayed); ${means}`
}

/** JSON-safe: block numbers and other int64 values as numbers where exact, else as decimal text. */
function fact(column: string, value: string | number | bigint | boolean): string | number | boolean {
  if (typeof value === 'bigint')
    return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : String(value)
  if (typeof value !== 'string') return value
  return column === 'value' ? value.replace(/^0+(?=\d)/, '') : escapeText(value, 200)
}
