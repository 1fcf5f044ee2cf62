import type { PatternProfile, TransactionRow, VectorEntry } from '#vector'
import type { BlockRef } from '../notification/types.ts'

// Outbox payloads are the vector store's own entries and rest as JSON. The fields that are bigint are known, so they are
// written as decimal strings and read back by name: a replacer and a reviver, called for every field, cost ten times more.

/** An entry with its bigint fields as strings. */
type Plain<T> = T extends bigint
  ? string
  : T extends readonly (infer U)[]
    ? readonly Plain<U>[]
    : T extends object
      ? { readonly [K in keyof T]: Plain<T[K]> }
      : T

export function encodePayload(entry: VectorEntry): Uint8Array {
  return Buffer.from(JSON.stringify(toPlain(entry)))
}

/** @throws SyntaxError when the bytes are not what `encodePayload` wrote: the store is damaged */
export function decodePayload(bytes: Uint8Array): VectorEntry {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()
  return fromPlain(JSON.parse(text) as Plain<VectorEntry>)
}

function toPlain(entry: VectorEntry): Plain<VectorEntry> {
  switch (entry.kind) {
    case 'transactions':
      return {
        kind: entry.kind,
        block: plainRef(entry.block),
        rows: entry.rows.map((row) => ({
          ...row,
          chainId: `${row.chainId}`,
          blockNumber: `${row.blockNumber}`,
          timestamp: `${row.timestamp}`,
        })),
      }
    case 'patterns':
      return {
        kind: entry.kind,
        boundary: `${entry.boundary}`,
        upsert: entry.upsert.map(plainProfile),
        remove: entry.remove,
      }
    case 'findings':
      return { kind: entry.kind, block: plainRef(entry.block), rows: entry.rows }
    case 'undo': {
      const { patterns } = entry
      const blocks = entry.blocks.map(plainRef)
      if (!patterns) return { kind: entry.kind, blocks }
      const upsert = patterns.upsert.map(plainProfile)
      return {
        kind: entry.kind,
        blocks,
        patterns: { boundary: `${patterns.boundary}`, upsert, remove: patterns.remove },
      }
    }
    case 'finalized':
      return { kind: entry.kind, number: `${entry.number}` }
  }
}

function fromPlain(entry: Plain<VectorEntry>): VectorEntry {
  switch (entry.kind) {
    case 'transactions':
      return { kind: entry.kind, block: readRef(entry.block), rows: entry.rows.map(readRow) }
    case 'patterns':
      return {
        kind: entry.kind,
        boundary: BigInt(entry.boundary),
        upsert: entry.upsert.map(readProfile),
        remove: entry.remove,
      }
    case 'findings':
      return { kind: entry.kind, block: readRef(entry.block), rows: entry.rows }
    case 'undo': {
      const { patterns } = entry
      const blocks = entry.blocks.map(readRef)
      if (!patterns) return { kind: entry.kind, blocks }
      const upsert = patterns.upsert.map(readProfile)
      return {
        kind: entry.kind,
        blocks,
        patterns: { boundary: BigInt(patterns.boundary), upsert, remove: patterns.remove },
      }
    }
    case 'finalized':
      return { kind: entry.kind, number: BigInt(entry.number) }
  }
}

const plainRef = (ref: { number: bigint; hash: string }) => ({ number: `${ref.number}`, hash: ref.hash })
const readRef = (ref: { number: string; hash: string }) => ({
  number: BigInt(ref.number),
  hash: ref.hash as BlockRef['hash'],
})
const plainProfile = (row: PatternProfile) => ({ ...row, boundary: `${row.boundary}` })
const readProfile = (row: Plain<PatternProfile>): PatternProfile => ({
  ...row,
  boundary: BigInt(row.boundary),
})
const readRow = (row: Plain<TransactionRow>): TransactionRow => ({
  ...row,
  chainId: BigInt(row.chainId),
  blockNumber: BigInt(row.blockNumber),
  timestamp: BigInt(row.timestamp),
})
