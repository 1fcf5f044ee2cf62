import { crc32 } from 'node:zlib'
import type { Block, BlockRef, Notification } from '../../notification/types.ts'
import { decodeBlock } from '../blockCodec.ts'
import { ExExError } from '../errors.ts'
import type { BeginFrame, ChunkFrame, EndFrame } from '../frames.ts'
import { RecentChain } from '../recentChain.ts'

/** A notification whole and checked, or one that had been received before and is dropped. */
export type Assembled =
  | { readonly type: 'notification'; readonly notification: Notification }
  | { readonly type: 'duplicate'; readonly bytes: number }

type Open = {
  readonly begin: BeginFrame
  readonly isDuplicate: boolean
  readonly bodies: Uint8Array[]
  /** Parts of a block that comes in several frames. */
  parts: Uint8Array[]
  partBytes: number
  receivedBytes: number
  crc: number
}

/**
 * Puts notifications together from their frames. Holds a session to its contract: sequence, order, offsets, totals,
 * checksum, and that every block follows a block known to this session. Whatever breaks it throws `ExExError`
 * DATA_LOSS, and nothing of that notification comes out.
 */
export class NotificationAssembler {
  /** The chain as received in this session. */
  readonly chain: RecentChain
  readonly #epoch: string
  readonly #maxBytes: number
  #expectedSeq: bigint
  #open: Open | undefined

  constructor(session: {
    readonly epoch: bigint
    readonly firstSeq: bigint
    readonly ancestor: BlockRef
    readonly maxNotificationBytes: number
  }) {
    this.chain = new RecentChain(session.ancestor)
    this.#epoch = session.epoch.toString(16)
    this.#expectedSeq = session.firstSeq
    this.#maxBytes = session.maxNotificationBytes
  }

  /** Bytes received of a notification that is not whole yet. */
  get bufferedBytes(): number {
    return this.#open?.receivedBytes ?? 0
  }

  /** Takes the next frame; returns what it completes. */
  push(frame: BeginFrame | ChunkFrame | EndFrame, receivedTimeMs: number): Assembled | undefined {
    if (frame.type === 'begin') return this.#begin(frame)
    const open = this.#open
    if (open === undefined) throw dataLoss(frame.type, 'a begin first', 'none')
    if (frame.type === 'chunk') return this.#chunk(open, frame)
    this.#open = undefined
    return this.#end(open, frame, receivedTimeMs)
  }

  /**
   * Checks what a heartbeat says was sent last: frames keep their order, so a notification that has not come by then
   * never will, and without this the last one of a quiet chain could be lost unnoticed.
   */
  checkLastSeq(lastSeq: bigint): void {
    if (lastSeq >= this.#expectedSeq)
      throw dataLoss('heartbeat.last_seq', `${this.#expectedSeq - 1n}`, `${lastSeq}`)
  }

  #begin(begin: BeginFrame): undefined {
    if (this.#open !== undefined)
      throw dataLoss('begin', `the end of ${this.#open.begin.seq}`, `begin ${begin.seq}`)
    if (begin.seq > this.#expectedSeq) throw dataLoss('begin.seq', `${this.#expectedSeq}`, `${begin.seq}`)
    if (begin.totalBytes > BigInt(this.#maxBytes)) {
      throw new ExExError('FRAME_TOO_LARGE', {
        where: 'begin.total_bytes',
        expected: `at most ${this.#maxBytes}`,
        actual: `${begin.totalBytes}`,
      })
    }
    const isDuplicate = begin.seq < this.#expectedSeq
    if (!isDuplicate) {
      checkShape(begin)
      checkConnection(begin, this.chain)
    }
    this.#open = { begin, isDuplicate, bodies: [], parts: [], partBytes: 0, receivedBytes: 0, crc: 0 }
  }

  #chunk(open: Open, chunk: ChunkFrame): undefined {
    const { data, offset, total } = chunk
    const number = open.begin.parent.number + 1n + BigInt(open.bodies.length)
    if (chunk.number !== number) throw dataLoss('chunk.number', `${number}`, `${chunk.number}`)
    if (offset !== open.partBytes) throw dataLoss('chunk.offset', `${open.partBytes}`, `${offset}`)
    open.partBytes += data.length
    open.receivedBytes += data.length
    if (open.partBytes > total)
      throw dataLoss('chunk.data', `at most ${total - offset} bytes`, `${data.length}`)
    if (BigInt(open.receivedBytes) > open.begin.totalBytes) {
      throw dataLoss('chunk.data', `${open.begin.totalBytes} bytes in all`, `${open.receivedBytes}`)
    }
    open.crc = crc32(data, open.crc)
    open.parts.push(data)
    if (open.partBytes < total) return
    // A block in one frame stays where it was received.
    open.bodies.push(open.parts.length === 1 ? data : Buffer.concat(open.parts))
    open.parts = []
    open.partBytes = 0
  }

  #end(open: Open, end: EndFrame, receivedTimeMs: number): Assembled {
    const { begin } = open
    if (end.seq !== begin.seq) throw dataLoss('end.seq', `${begin.seq}`, `${end.seq}`)
    if (open.partBytes > 0)
      throw dataLoss('end', 'the rest of a block', `end after ${open.partBytes} bytes of it`)
    if (open.bodies.length !== begin.blockCount || end.blockCount !== begin.blockCount) {
      throw dataLoss(
        'end.block_count',
        `${begin.blockCount}`,
        `${open.bodies.length}, stated as ${end.blockCount}`,
      )
    }
    if (BigInt(open.receivedBytes) !== begin.totalBytes || end.totalBytes !== begin.totalBytes) {
      throw dataLoss(
        'end.total_bytes',
        `${begin.totalBytes}`,
        `${open.receivedBytes}, stated as ${end.totalBytes}`,
      )
    }
    if (open.crc !== end.crc32) throw dataLoss('end.crc32', `${end.crc32}`, `${open.crc}`)
    if (open.isDuplicate) return { type: 'duplicate', bytes: open.receivedBytes }

    const blocks = decodeFollowing(begin.parent, open.bodies)
    const tip = blocks.at(-1)?.ref ?? begin.parent
    if (end.cursor.hash !== tip.hash)
      throw dataLoss('end.cursor', `${tip.number} ${tip.hash}`, end.cursor.hash)
    this.#expectedSeq = begin.seq + 1n
    this.chain.unwindTo(begin.parent)
    for (const block of blocks) this.chain.push(block.ref)
    const facts = {
      epoch: this.#epoch,
      sequence: begin.seq,
      head: begin.head,
      safe: begin.safe,
      finalized: begin.finalized,
      source: begin.origin,
      nodeTimeMs: begin.nodeTimeMs,
      receivedTimeMs,
      bytes: open.receivedBytes,
    }
    const { kind, undo, parent } = begin
    if (kind === 'committed') return { type: 'notification', notification: { ...facts, kind, blocks } }
    if (kind === 'reorged') return { type: 'notification', notification: { ...facts, kind, undo, blocks } }
    return { type: 'notification', notification: { ...facts, kind, undo, parent } }
  }
}

function checkShape({ kind, undo, blockCount }: BeginFrame): void {
  const undoes = kind !== 'committed'
  const applies = kind !== 'reverted'
  if (undo.length > 0 !== undoes || blockCount > 0 !== applies) {
    throw dataLoss(
      'begin',
      `${kind} with ${undoes ? 'an undo' : 'no undo'} and ${applies ? 'blocks' : 'no blocks'}`,
      `${undo.length} undone and ${blockCount} applied`,
    )
  }
}

/** Whether a notification continues the chain as received; a parent that nobody knows is a gap. */
function checkConnection({ undo, parent }: BeginFrame, chain: RecentChain): void {
  if (undo.length === 0) {
    // An ancestor of the tip is an implicit unwind to it.
    if (chain.find(parent) === 'carried') return
    throw dataLoss(
      'begin.parent',
      `the tip ${chain.tip.number} ${chain.tip.hash} or a block before it`,
      `${parent.number} ${parent.hash}`,
    )
  }
  const newest = undo.at(-1)!
  if (newest.hash !== chain.tip.hash) {
    throw dataLoss(
      'begin.undo',
      `the tip ${chain.tip.number} ${chain.tip.hash} last`,
      `${newest.number} ${newest.hash}`,
    )
  }
  let before = parent
  for (const ref of [...undo]) {
    if (ref.number !== before.number + 1n)
      throw dataLoss('begin.undo', `${before.number + 1n}`, `${ref.number}`)
    before = ref
  }
  for (const ref of [parent, ...undo]) {
    const known = chain.find(ref)
    if (known !== 'carried' && known !== 'below') {
      throw dataLoss('begin.undo', `block ${ref.number} as received`, ref.hash)
    }
  }
}

function decodeFollowing(parent: BlockRef, bodies: readonly Uint8Array[]): readonly Block[] {
  let tip = parent
  return bodies.map((body) => {
    const block = decodeTrusted(body)
    if (block.parent.hash !== tip.hash || block.ref.number !== tip.number + 1n) {
      throw dataLoss(
        'block.parent_hash',
        `${tip.number} ${tip.hash}`,
        `${block.parent.number} ${block.parent.hash}`,
      )
    }
    tip = block.ref
    return block
  })
}

function decodeTrusted(body: Uint8Array): Block {
  try {
    return decodeBlock(body)
  } catch (cause) {
    if (!(cause instanceof ExExError)) throw cause
    throw new ExExError('DATA_LOSS', {
      where: cause.where,
      expected: cause.expected,
      actual: cause.actual,
      cause,
    })
  }
}

function dataLoss(where: string, expected: string, actual: string): ExExError {
  return new ExExError('DATA_LOSS', { where, expected, actual, advice: 'Nothing of it is applied.' })
}
