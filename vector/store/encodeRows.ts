import type { Table } from 'apache-arrow'
import { embedPattern, patternParts } from '../embed/embedPattern.ts'
import { embedTransaction } from '../embed/embedTransaction.ts'
import { weiDigits } from '../filter/compileFilter.ts'
import type { PatternProfile, TransactionRow } from '../types.ts'
import { arrowTable } from './arrowTable.ts'
import { tableSchema } from './schema.ts'

/** The batch LanceDB is given for transactions, vectors included. */
export function encodeTransactions(rows: readonly TransactionRow[], chainId: bigint): Table {
  return arrowTable(tableSchema('transactions', chainId), rows.length, {
    id: rows.map((row) => row.id),
    chainId: rows.map((row) => row.chainId),
    blockNumber: rows.map((row) => row.blockNumber),
    blockHash: rows.map((row) => row.blockHash),
    timestamp: rows.map((row) => row.timestamp),
    transactionHash: rows.map((row) => row.transactionHash),
    transactionIndex: rows.map((row) => row.transactionIndex),
    from: rows.map((row) => row.from),
    to: rows.map((row) => row.to),
    selector: rows.map((row) => row.selector),
    value: rows.map((row) => row.value.padStart(weiDigits, '0')),
    gasLimit: rows.map((row) => row.gasLimit),
    calldataBytes: rows.map((row) => row.calldataBytes),
    calldataHead: rows.map((row) => row.calldataHead),
    type: rows.map((row) => row.type),
    svm: rows.map((row) => row.svm),
    route: rows.map((row) => row.route),
    confidence: rows.map((row) => row.confidence),
    outcome: rows.map((row) => row.outcome),
    reason: rows.map((row) => row.reason),
    modelVersion: rows.map((row) => row.modelVersion),
    origin: rows.map((row) => row.origin),
    embedding: rows.map(embedTransaction),
  })
}

/** The batch LanceDB is given for patterns. The counts and means are float64 and come back bit for bit. */
export function encodePatterns(rows: readonly PatternProfile[], chainId: bigint): Table {
  const parts = rows.map((row) => patternParts(row.id))
  return arrowTable(tableSchema('patterns', chainId), rows.length, {
    id: rows.map((row) => row.id),
    contract: parts.map((part) => part.contract),
    selector: parts.map((part) => part.selector),
    svm: rows.map((row) => row.svm),
    boundary: rows.map((row) => row.boundary),
    evmSucceeded: rows.map((row) => row.evmSucceeded),
    evmFailed: rows.map((row) => row.evmFailed),
    svmExecuted: rows.map((row) => row.svmExecuted),
    svmFailed: rows.map((row) => row.svmFailed),
    computeUnits: rows.map((row) => row.computeUnits),
    gasLimit: rows.map((row) => row.gasLimit),
    calldataBytes: rows.map((row) => row.calldataBytes),
    valueLog2: rows.map((row) => row.valueLog2),
    embedding: rows.map(embedPattern),
  })
}
