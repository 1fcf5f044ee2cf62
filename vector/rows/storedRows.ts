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

/** A stored row as it was given, as far as its vector depends on it. */
export function transactionOf(row: StoredRow): TransactionRow {
  const numbers = {
    gasLimit: Number(row.gasLimit),
    calldataBytes: Number(row.calldataBytes),
    type: Number(row.type),
  }
  return { ...(row as unknown as TransactionRow), ...numbers }
}

/** A pattern as its columns hold it. */
export function storedPattern(row: PatternProfile): StoredRow {
  return { ...row, ...patternParts(row.id) }
}
