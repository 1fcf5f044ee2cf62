import type { BlockFindings } from './findInBlock.ts'
import type { Finding } from './types.ts'

// The rows of the state table `finding`: what was found in a block, and the memory of it, each under the block's number.

/** First byte of a key. */
const FOUND = 0x66 // f
const MEMORY = 0x6d // m

export type RowKind = 'found' | 'memory'

/** 9 bytes: the kind, and the number big-endian, so that rows sort by it. */
export function rowKey(kind: RowKind, number: bigint): Uint8Array {
  const key = Buffer.alloc(9)
  key[0] = kind === 'found' ? FOUND : MEMORY
  key.writeBigUInt64BE(number, 1)
  return key
}

/** What a key is of. */
export function readRowKey(key: Uint8Array): { readonly kind: RowKind; readonly number: bigint } {
  const number = Buffer.from(key.buffer, key.byteOffset, key.length).readBigUInt64BE(1)
  return { kind: key[0] === FOUND ? 'found' : 'memory', number }
}

/** The findings of one block as stored. Plain JSON: they are few, and read by people. */
export type StoredFindings = {
  readonly findings: readonly Finding[]
  /** How many more there were. */
  readonly leftOut: number
}

/** The row of a block's findings; undefined where there are none. */
export function encodeFindings({ findings, leftOut }: BlockFindings): Uint8Array | undefined {
  if (findings.length === 0) return undefined
  return Buffer.from(JSON.stringify({ findings, leftOut } satisfies StoredFindings))
}

/** @throws SyntaxError when the bytes are not what `encodeFindings` wrote: the store is damaged */
export function decodeFindings(bytes: Uint8Array): StoredFindings {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString()
  return JSON.parse(text) as StoredFindings
}
