import { createHash } from 'node:crypto'
import type { TransactionRow } from '#vector'
import type { Block } from '../notification/types.ts'
import { CONTRACT_CREATION, EvmStatus } from '../notification/types.ts'

/** How a row's decision and outcome are told; the composition root joins them from the router and the SVM. */
export type RowVerdict = {
  readonly route: string
  /** 0 to 1. */
  readonly confidence: number
  readonly reason: string
  readonly svm: boolean
  /** An SVM outcome, or undefined: the EVM's own status is the outcome. */
  readonly outcome: string | undefined
}

/** Leading calldata bytes kept, for the embedder and for the arguments of a call. */
const CALLDATA_HEAD_BYTES = 256
/** Of an envelope: that with one signature and ten accounts still shows which programs it calls. */
const ENVELOPE_HEAD_BYTES = 512

/**
 * Which transactions of a block get a row: every envelope, and `rowsPerBlock` others: those with the lowest hashes, so
 * the same on every instance. Ascending indexes.
 */
export function chooseRows(
  block: Block,
  isEnvelope: (index: number) => boolean,
  rowsPerBlock: number,
): number[] {
  const { count, hashes } = block.transactions
  const envelopes: number[] = []
  // The chosen others, lowest hash first; kept by insertion, since there are few of them.
  const lowest: number[] = []
  for (let i = 0; i < count; i++) {
    if (isEnvelope(i)) {
      envelopes.push(i)
      continue
    }
    if (lowest.length === rowsPerBlock) {
      if (rowsPerBlock === 0 || compareHashes(hashes, i, lowest[rowsPerBlock - 1]!) >= 0) continue
      lowest.pop()
    }
    let at = lowest.length
    while (at > 0 && compareHashes(hashes, i, lowest[at - 1]!) < 0) at--
    lowest.splice(at, 0, i)
  }
  return envelopes.concat(lowest).sort((a, b) => a - b)
}

/** The vector store's row of one transaction. */
export function transactionRow(
  chainId: bigint,
  block: Block,
  index: number,
  verdict: RowVerdict,
  modelVersion: string,
): TransactionRow {
  const columns = block.transactions
  const start = index === 0 ? 0 : columns.inputEnds[index - 1]!
  const end = columns.inputEnds[index]!
  const kind = columns.kinds[index]!
  const headBytes = verdict.svm ? ENVELOPE_HEAD_BYTES : CALLDATA_HEAD_BYTES
  const view = (bytes: Uint8Array, width: number) => hex(bytes, index * width, width)
  return {
    id: rowId(chainId, block.ref.hash, index),
    chainId,
    blockNumber: block.ref.number,
    blockHash: block.ref.hash,
    timestamp: block.timestamp,
    transactionHash: `0x${view(columns.hashes, 32)}`,
    transactionIndex: index,
    from: `0x${view(columns.senders, 20)}`,
    to: kind & CONTRACT_CREATION ? '' : `0x${view(columns.to, 20)}`,
    selector: `0x${view(columns.selectors, 4)}`,
    value: BigInt(`0x${view(columns.values, 32)}`).toString(),
    gasLimit: columns.gasLimits[index]!,
    calldataBytes: end - start,
    calldataHead: hex(columns.inputs, start, Math.min(end - start, headBytes)),
    type: kind & ~CONTRACT_CREATION,
    svm: verdict.svm,
    route: verdict.route,
    confidence: verdict.confidence,
    outcome: verdict.outcome ?? evmOutcome(columns.statuses[index]!),
    reason: verdict.reason,
    modelVersion,
    origin: block.origin ?? '',
  }
}

/** One key across forks: a hash of chain, block and position. */
export function rowId(chainId: bigint, blockHash: string, index: number): string {
  return createHash('sha256').update(`${chainId}:${blockHash}:${index}`).digest('hex').slice(0, 32)
}

function evmOutcome(status: number): string {
  if (status === EvmStatus.succeeded) return 'succeeded'
  return status === EvmStatus.failed ? 'failed' : 'unknown'
}

function hex(bytes: Uint8Array, offset: number, length: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + offset, length).toString('hex')
}

function compareHashes(hashes: Uint8Array, a: number, b: number): number {
  for (let i = 0; i < 32; i++) {
    const difference = hashes[a * 32 + i]! - hashes[b * 32 + i]!
    if (difference !== 0) return difference
  }
  return 0
}
