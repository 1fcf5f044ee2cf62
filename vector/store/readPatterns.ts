import type { Table } from '@lancedb/lancedb'
import { VectorStoreError } from '../errors.ts'
import { answerColumns } from '../query/describeRow.ts'
import type { PatternProfile } from '../types.ts'

/**
 * Every pattern, sorted by id in code unit order. Throws `VectorStoreError` `PATTERNS_AHEAD` when a row was written at a
 * boundary after the one asked for: the table then no longer holds what is wanted.
 */
export async function readPatterns(patterns: Table, boundary: bigint): Promise<readonly PatternProfile[]> {
  const rows: unknown[] = await patterns
    .query()
    .select([...answerColumns.patterns])
    .toArray()
  const profiles = rows.map((row) => toProfile(row as PatternProfile))
  const ahead = profiles.find((profile) => profile.boundary > boundary)
  if (ahead) {
    throw new VectorStoreError(
      'PATTERNS_AHEAD',
      `patterns: expected none after boundary ${boundary}, found ${ahead.id} of boundary ${ahead.boundary}: read a boundary before ` +
        'the entries of the next one are applied',
      { facts: { boundary: String(boundary), pattern: ahead.id, found: String(ahead.boundary) } },
    )
  }
  return profiles.sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0))
}

// Rows come as proxies on Arrow memory: copied, so that nothing keeps a batch alive.
function toProfile(row: PatternProfile): PatternProfile {
  return {
    id: row.id,
    svm: row.svm,
    boundary: row.boundary,
    evmSucceeded: row.evmSucceeded,
    evmFailed: row.evmFailed,
    svmExecuted: row.svmExecuted,
    svmFailed: row.svmFailed,
    computeUnits: row.computeUnits,
    gasLimit: row.gasLimit,
    calldataBytes: row.calldataBytes,
    valueLog2: row.valueLog2,
  }
}
