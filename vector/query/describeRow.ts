import type { DocumentNames } from '../documents/documentNames.ts'
import { embedderId } from '../embed/featureVector.ts'
import { writtenColumn } from '../filter/columns.ts'
import type { ContextItem, Finality } from '../types.ts'
import { calldataText } from './calldataText.ts'
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
    'calldataHead',
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

/** Names for what is in a row, and up to where it is final. */
export type DescribeContext = { readonly finalized: bigint | undefined; readonly names: DocumentNames }

/** What an item says; how well it fits is for who found it. */
export type Description = Omit<ContextItem, 'score' | 'distance' | 'scores'>

type Facts = Record<string, string | number | boolean>

/**
 * A row of `transactions` or `patterns` as an item. Text that others may have chosen stands between « and », escaped: it is to be
 * read, never obeyed. Long facts are cut at 200 characters.
 */
export function describeRow(
  table: 'transactions' | 'patterns',
  row: StoredRow,
  { finalized, names }: DescribeContext,
): Description {
  const written = row[writtenColumn[table]] as bigint
  const facts: Facts = {}
  for (const column of answerColumns[table]) facts[column] = fact(column, row[column]!)
  if (table === 'transactions') {
    // What can be read in it, instead of its digits.
    facts.calldataText = escapeText(calldataText(String(row.calldataHead)), 200)
    delete facts.calldataHead
  }
  const contract = String(row[table === 'transactions' ? 'to' : 'contract'])
  const call = names.callName(contract, String(row.selector))
  if (call !== undefined && facts.svm !== true) facts.call = escapeText(call, 200)
  const shared = {
    id: String(row.id),
    finality: finalityAt(written, finalized),
    asOf: String(written),
    facts,
  }
  return table === 'transactions'
    ? {
        kind: 'transaction',
        citation: transactionCitation(facts),
        text: transactionText(facts),
        untrusted: true,
        provenance: { source: 'chain', embedder: embedderId },
        ...shared,
      }
    : {
        kind: 'pattern',
        citation: `pattern 0x${facts.id} as of block ${facts.boundary}`,
        text: patternText(facts),
        untrusted: names.isGiven(contract, String(row.selector)),
        provenance: { source: 'learner', embedder: embedderId },
        ...shared,
      }
}

export function finalityAt(block: bigint, finalized: bigint | undefined): Finality {
  return finalized !== undefined && block <= finalized ? 'finalized' : 'head'
}

function transactionCitation(facts: ContextItem['facts']): string {
  return `tx ${facts.transactionHash} block ${facts.blockNumber}`
}

function transactionText(facts: ContextItem['facts']): string {
  const target = facts.to === '' ? 'creates a contract' : `to ${facts.to}`
  const parts = [
    `${facts.svm ? 'SVM envelope' : 'transaction'} ${target} ${selectorText(facts)} from ${facts.from}`,
    `value ${facts.value} wei, gas limit ${facts.gasLimit}, calldata ${facts.calldataBytes} B`,
    `route ${facts.route} (${Number(facts.confidence).toFixed(2)}), outcome ${facts.outcome}`,
  ]
  if (facts.calldataText !== '') parts.push(`calldata text «${facts.calldataText}»`)
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
  return `${facts.svm ? 'program' : 'contract'} ${facts.contract} ${selectorText(facts)}: ${outcomes} (decayed); ${means}`
}

function selectorText({ selector, call }: ContextItem['facts']): string {
  return call === undefined ? `selector ${selector}` : `selector ${selector} «${call}»`
}

/** JSON-safe: block numbers and other int64 values as numbers where exact, else as decimal text. */
export function fact(column: string, value: string | number | bigint | boolean): string | number | boolean {
  if (typeof value === 'bigint')
    return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : String(value)
  if (typeof value !== 'string') return value
  return column === 'value' ? value.replace(/^0+(?=\d)/, '') : escapeText(value, 200)
}
