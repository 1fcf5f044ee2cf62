import type { Table } from '@lancedb/lancedb'
import { patternParts } from '../embed/embedPattern.ts'
import { isPatternId } from './graphReader.ts'

/** An edge that is read from `patterns`: what a contract owns, and what is near a pattern. */
export type PatternEdge = {
  readonly kind: 'owns' | 'similar'
  readonly source: string
  readonly target: string
  readonly similarity: number | undefined
  /** The pattern the edge is read from, and when its row was written. */
  readonly pattern: string
  readonly boundary: bigint
}

/** Cosine similarity below which two patterns have nothing in common worth an edge. */
const leastSimilarity = 0.5

type PatternRow = { readonly id: string; readonly boundary: bigint; readonly _distance?: number }

/** Edges of an entity with patterns, those of the most evidence first; of a pattern, its contract and then its nearest. */
export async function patternsAround(
  patterns: Table,
  id: string,
  fanout: number,
): Promise<readonly PatternEdge[]> {
  return isPatternId(id) ? aroundPattern(patterns, id, fanout) : ofContract(patterns, id, fanout)
}

async function ofContract(patterns: Table, id: string, fanout: number): Promise<readonly PatternEdge[]> {
  // A program's pattern has the last 20 bytes of its key.
  const isProgram = id.length === 66
  const contract = isProgram ? `0x${id.slice(-40)}` : id
  const rows: (PatternRow & Evidence)[] = await patterns
    .query()
    .where(`\`contract\` = '${contract}' AND \`svm\` = ${isProgram}`)
    .select(['id', 'boundary', 'evmSucceeded', 'evmFailed', 'svmExecuted', 'svmFailed'])
    .limit(4096)
    .toArray()
  return rows
    .map((row) => ({ row: { id: row.id, boundary: row.boundary }, evidence: evidenceOf(row) }))
    .sort((a, b) => b.evidence - a.evidence || (a.row.id < b.row.id ? -1 : 1))
    .slice(0, fanout)
    .map(({ row }) => owns(id, row))
}

async function aroundPattern(patterns: Table, id: string, fanout: number): Promise<readonly PatternEdge[]> {
  const own: (PatternRow & { embedding: Iterable<number>; svm: boolean })[] = await patterns
    .query()
    .where(`\`id\` = '${id}'`)
    .select(['id', 'boundary', 'svm', 'embedding'])
    .limit(1)
    .toArray()
  const pattern = own[0]
  if (!pattern) return []
  const near: Required<PatternRow>[] = await patterns
    .query()
    .nearestTo(Float32Array.from(pattern.embedding))
    .distanceType('cosine')
    .select(['id', 'boundary', '_distance'])
    .limit(fanout + 1)
    .toArray()
  const similar = near
    .filter((row) => row.id !== id && 1 - row._distance >= leastSimilarity)
    .sort((a, b) => a._distance - b._distance || (a.id < b.id ? -1 : 1))
    .map((row) => ({
      kind: 'similar' as const,
      source: id,
      target: row.id,
      similarity: 1 - row._distance,
      pattern: row.id,
      boundary: row.boundary,
    }))
  // The key of a program is longer than what its pattern keeps of it.
  return pattern.svm ? similar : [owns(patternParts(id).contract, pattern), ...similar]
}

function owns(contract: string, { id, boundary }: PatternRow): PatternEdge {
  return { kind: 'owns', source: contract, target: id, similarity: undefined, pattern: id, boundary }
}

type Evidence = {
  readonly evmSucceeded: number
  readonly evmFailed: number
  readonly svmExecuted: number
  readonly svmFailed: number
}

function evidenceOf(row: Evidence): number {
  return row.evmSucceeded + row.evmFailed + row.svmExecuted + row.svmFailed
}
