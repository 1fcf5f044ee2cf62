import type { SvmResult } from './svm/types.ts'

/** An outcome as it rests beside a block's decisions. */
export type StoredResult = {
  readonly transactionIndex: number
  readonly item: number
  readonly status: SvmResult['status']
  readonly reason: string | null
  readonly computeUnits: number
}

/** Empty for a block without envelopes. */
export function encodeResults(results: readonly SvmResult[]): Uint8Array {
  if (results.length === 0) return new Uint8Array(0)
  return Buffer.from(
    JSON.stringify(
      results.map(({ transactionIndex, item, status, reason, computeUnits }) => [
        transactionIndex,
        item,
        status,
        reason ?? null,
        computeUnits,
      ]),
    ),
  )
}

export function decodeResults(bytes: Uint8Array): readonly StoredResult[] {
  if (bytes.length === 0) return []
  const rows = JSON.parse(Buffer.from(bytes).toString()) as [
    number,
    number,
    SvmResult['status'],
    string | null,
    number,
  ][]
  return rows.map(([transactionIndex, item, status, reason, computeUnits]) => ({
    transactionIndex,
    item,
    status,
    reason,
    computeUnits,
  }))
}
