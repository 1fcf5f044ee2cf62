import { crc32 } from 'node:zlib'
import type { BlockRef } from '../../notification/types.ts'
import { type EncodedFrame, encodeServerFrame } from '../frameCodec.ts'
import { FRAME_OVERHEAD_BYTES, FRAME_TARGET_BYTES } from '../frames.ts'
import type { Batch } from './chainCursor.ts'
import type { EncodedBlock } from './types.ts'

/** Bytes of the blocks' encodings: what a notification's credit is counted in. */
export const bytesOfBatch = (batch: Batch): number =>
  batch.blocks.reduce((sum, block) => sum + block.bytes.length, 0)

/** The frames of one notification: Begin, the blocks whole or by byte range, End. */
export function encodeNotification(
  batch: Batch,
  facts: {
    readonly seq: bigint
    readonly head: BlockRef
    readonly sentTimeMs: number
    readonly maxFrameBytes: number
  },
): EncodedFrame[] {
  const { blocks, undo } = batch
  const totalBytes = BigInt(bytesOfBatch(batch))
  const cursor: BlockRef = blocks.at(-1)?.ref ?? batch.parent
  const begin = encodeServerFrame({
    type: 'begin',
    seq: facts.seq,
    kind: undo.length === 0 ? 'committed' : blocks.length === 0 ? 'reverted' : 'reorged',
    parent: batch.parent,
    undo,
    blockCount: blocks.length,
    totalBytes,
    head: facts.head,
    safe: batch.finality.safe,
    finalized: batch.finality.finalized,
    nodeTimeMs: batch.nodeTimeMs,
    sentTimeMs: facts.sentTimeMs,
    origin: batch.origin,
  })
  const end = encodeServerFrame({
    type: 'end',
    seq: facts.seq,
    blockCount: blocks.length,
    totalBytes,
    crc32: blocks.reduce((sum, block, i) => (i === 0 ? block.crc32 : crc32(block.bytes, sum)), 0),
    cursor,
  })
  const chunkBytes = Math.min(FRAME_TARGET_BYTES, facts.maxFrameBytes) - FRAME_OVERHEAD_BYTES
  return [begin, ...blocks.flatMap((block) => chunksOf(block, chunkBytes)), end]
}

function chunksOf(block: EncodedBlock, chunkBytes: number): EncodedFrame[] {
  const total = block.bytes.length
  const chunks: EncodedFrame[] = []
  for (let offset = 0; offset < total; offset += chunkBytes) {
    const data = block.bytes.subarray(offset, offset + chunkBytes)
    chunks.push(encodeServerFrame({ type: 'chunk', number: block.ref.number, offset, total, data }))
  }
  return chunks
}
