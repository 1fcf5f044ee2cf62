import { patternParts } from '../embed/embedPattern.ts'
import { weiDigits } from '../filter/compileFilter.ts'
import type { StoredRow } from '../query/describeRow.ts'
import type { PatternProfile, TransactionRow } from '../types.ts'

/** A transaction as its columns hold it, whole numbers as bigint; the vector, which follows from them, is left out. */
export function storedTransaction(row: TransactionRow): StoredRow {
  return {
    ...row,
    transactionIndex: BigInt(row.transactionIndex),
    value: row.value.padStart(weiDigits, '0'),
    gasLimit: BigInt(row.gasLimit),
    calldataBytes: BigInt(row.calldataBytes),
    type: BigInt(row.type),
  }
}

/** A pattern as its columns hold it. */
export function storedPattern(row: PatternProfile): StoredRow {
  return { ...row, ...patternParts(row.id) }
}
