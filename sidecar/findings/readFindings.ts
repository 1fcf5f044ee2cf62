import type { StateTable, StateWrite } from '../notification/stateWrite.ts'
import type { BlockRef } from '../notification/types.ts'
import type { BlockFacts } from './blockFacts.ts'
import { decodeFacts } from './factsCodec.ts'
import { decodeFindings, type RowKind, readRowKey, rowKey } from './findingRows.ts'
import type { Finding, FindingKind } from './types.ts'

/** A finding with its block, as the doors show it. */
export type StoredFinding = Finding & { readonly block: { readonly number: number; readonly hash: string } }

/** The durable rows, and the blocks they are of. */
export type FindingsState = {
  value(table: StateTable, key: Uint8Array): Uint8Array | undefined
  canonicalBlock(number: bigint): BlockRef | undefined
  progress(): { readonly durable: BlockRef | undefined }
}

const TABLE: StateTable = 'finding'

/** The findings of the newest durable blocks, newest block first and within it in the order of transactions. */
export function readFindings(
  state: FindingsState,
  {
    limit,
    kind,
    keep,
  }: { readonly limit: number; readonly kind: FindingKind | undefined; readonly keep: number },
): StoredFinding[] {
  const found: StoredFinding[] = []
  for (const { number, value } of rowsDown(state, 'found', keep)) {
    const ref = state.canonicalBlock(number)
    if (ref === undefined) break
    const block = { number: Number(ref.number), hash: ref.hash }
    for (const finding of decodeFindings(value).findings) {
      if (kind !== undefined && finding.kind !== kind) continue
      found.push({ ...finding, block })
      if (found.length === limit) return found
    }
  }
  return found
}

/** The findings of one durable block that is canonical now; none where it is not, or where they are pruned. */
export function readFindingsOf(state: FindingsState, { number, hash }: BlockRef): StoredFinding[] {
  const value = state.value(TABLE, rowKey('found', number))
  if (value === undefined || state.canonicalBlock(number)?.hash !== hash) return []
  const block = { number: Number(number), hash }
  return decodeFindings(value).findings.map((finding) => ({ ...finding, block }))
}

/** What is remembered of the last durable blocks, oldest first, without holes. */
export function readMemory(state: FindingsState, window: number): BlockFacts[] {
  const facts: BlockFacts[] = []
  for (const { number, value } of rowsDown(state, 'memory', window)) {
    if (facts.length > 0 && facts.at(-1)!.number !== number + 1n) break
    const of = decodeFacts(value)
    if (of === undefined) break
    facts.push(of)
  }
  return facts.reverse()
}

/** The rows of a kind among the newest durable blocks, newest first. */
function* rowsDown(state: FindingsState, kind: RowKind, blocks: number) {
  const { durable } = state.progress()
  if (durable === undefined) return
  for (let number = durable.number; number >= 0n && number > durable.number - BigInt(blocks); number--) {
    const value = state.value(TABLE, rowKey(kind, number))
    if (value !== undefined) yield { number, value }
  }
}

/** The findings among the writes of a block. */
export function findingsWritten(block: BlockRef, writes: readonly StateWrite[]): readonly Finding[] {
  for (const { table, key, after } of writes) {
    if (table !== TABLE || after === undefined) continue
    const { kind, number } = readRowKey(key)
    if (kind === 'found' && number === block.number) return decodeFindings(after).findings
  }
  return []
}
