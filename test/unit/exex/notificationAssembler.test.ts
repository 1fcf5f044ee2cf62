import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { buildBlock } from '../../../harness/feed/index.ts'
import { encodeBlock } from '../../../sidecar/exex/blockCodec.ts'
import { NotificationAssembler } from '../../../sidecar/exex/client/notificationAssembler.ts'
import { decodeServerFrames, encodeMessage } from '../../../sidecar/exex/frameCodec.ts'
import type { BeginFrame, ChunkFrame, EndFrame } from '../../../sidecar/exex/frames.ts'
import type { Batch } from '../../../sidecar/exex/server/chainCursor.ts'
import { encodeNotification } from '../../../sidecar/exex/server/encodeNotification.ts'
import type { BlockRef } from '../../../sidecar/notification/types.ts'
import { plain } from './blocks.ts'

type Part = BeginFrame | ChunkFrame | EndFrame
const ancestor: BlockRef = { number: 10n, hash: `0x${'0a'.repeat(32)}` }

function blocksOn(parent: BlockRef, inputBytes: readonly number[], salt = '') {
  let tip = parent
  return inputBytes.map((bytes) => {
    const block = buildBlock({
      parent: tip,
      timestamp: 5n,
      salt,
      transactions: [{ input: `0x${'ab'.repeat(bytes)}` }],
    })
    tip = block.ref
    return block
  })
}

function framesOf(batch: Partial<Batch>, seq: bigint, maxFrameBytes = 4096): Part[] {
  const whole: Batch = {
    ...{ undo: [], blocks: [], parent: ancestor, origin: 'live', nodeTimeMs: 1 },
    finality: { safe: undefined, finalized: undefined },
    ...batch,
  }
  return encodeNotification(whole, { seq, head: ancestor, sentTimeMs: 2, maxFrameBytes }).flatMap(
    (frame) => decodeServerFrames(encodeMessage([frame])) as Part[],
  )
}

const assembler = () =>
  new NotificationAssembler({ epoch: 1n, firstSeq: 1n, ancestor, maxNotificationBytes: 1 << 20 })
const pushAll = (to: NotificationAssembler, frames: readonly Part[]) =>
  frames.map((frame) => to.push(frame, 3)).at(-1)

describe('reassembly', () => {
  test('gives back the blocks, however they are cut into frames', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 20_000 }), { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 300, max: 30_000 }),
        (sizes, maxFrameBytes) => {
          const blocks = blocksOn(ancestor, sizes)
          const frames = framesOf({ blocks: blocks.map(encodeBlock) }, 1n, maxFrameBytes)
          const result = pushAll(assembler(), frames)
          if (result?.type !== 'notification' || result.notification.kind !== 'committed')
            throw new Error('no commit')
          expect(result.notification.blocks.map(plain)).toEqual(blocks.map(plain))
        },
      ),
    )
  })

  test('refuses a notification with any one frame lost, doubled or exchanged with the next', () => {
    const frames = framesOf({ blocks: blocksOn(ancestor, [9000, 10, 5000]).map(encodeBlock) }, 1n)
    const next = framesOf({ blocks: [], undo: [] }, 2n)
    const spoilt: [string, Part[]][] = []
    for (let i = 0; i < frames.length; i++) {
      spoilt.push([`lost ${i}`, frames.toSpliced(i, 1)])
      spoilt.push([`doubled ${i}`, frames.toSpliced(i, 0, frames[i]!)])
      if (i + 1 < frames.length)
        spoilt.push([`exchanged ${i}`, frames.toSpliced(i, 2, frames[i + 1]!, frames[i]!)])
    }
    for (const [name, list] of spoilt) {
      // A lost End shows with what comes next.
      expect(() => pushAll(assembler(), [...list, ...next]), name).toThrow(
        expect.objectContaining({ code: 'DATA_LOSS' }),
      )
    }
  })

  test('counts what it holds and lets go of it at the end', () => {
    const frames = framesOf({ blocks: blocksOn(ancestor, [9000]).map(encodeBlock) }, 1n)
    const one = assembler()
    const held = frames.map((frame) => {
      one.push(frame, 3)
      return one.bufferedBytes
    })
    expect(held[0]).toBe(0)
    expect(held.at(-2)).toBeGreaterThan(9000)
    expect(held.at(-1)).toBe(0)
  })

  test('refuses more bytes than it may hold before taking any', () => {
    const one = new NotificationAssembler({ epoch: 1n, firstSeq: 1n, ancestor, maxNotificationBytes: 100 })
    const frames = framesOf({ blocks: blocksOn(ancestor, [9000]).map(encodeBlock) }, 1n)
    expect(() => one.push(frames[0]!, 3)).toThrow(expect.objectContaining({ code: 'FRAME_TOO_LARGE' }))
  })
})

describe('the chain of a session', () => {
  const first = blocksOn(ancestor, [1, 2, 3])
  const opened = () => {
    const one = assembler()
    pushAll(one, framesOf({ blocks: first.map(encodeBlock) }, 1n))
    return one
  }

  test('a reorg must undo the tip, by name and in order', () => {
    const branch = blocksOn(first[0]!.ref, [4], 'other').map(encodeBlock)
    const undo = [first[1]!.ref, first[2]!.ref]
    const reorg = (list: readonly BlockRef[]) =>
      framesOf({ undo: list, blocks: branch, parent: first[0]!.ref }, 2n)
    expect(pushAll(opened(), reorg(undo))).toMatchObject({ notification: { kind: 'reorged', undo } })
    const wrong = { number: 12n, hash: `0x${'dd'.repeat(32)}` } as const
    for (const list of [[first[1]!.ref], undo.toReversed(), [wrong, first[2]!.ref]]) {
      expect(() => pushAll(opened(), reorg(list))).toThrow(expect.objectContaining({ code: 'DATA_LOSS' }))
    }
  })

  test('a commit on an ancestor unwinds to it', () => {
    const one = opened()
    const branch = blocksOn(first[0]!.ref, [4, 5], 'other')
    pushAll(one, framesOf({ blocks: branch.map(encodeBlock), parent: first[0]!.ref }, 2n))
    expect(one.chain.tip).toEqual(branch[1]!.ref)
    expect(one.chain.find(first[2]!.ref)).toBe('undone')
  })

  test('a commit on an unknown parent is a gap', () => {
    const stranger = { number: 13n, hash: `0x${'dd'.repeat(32)}` } as const
    const frames = framesOf({ blocks: blocksOn(stranger, [1]).map(encodeBlock), parent: stranger }, 2n)
    expect(() => pushAll(opened(), frames)).toThrow(expect.objectContaining({ where: 'begin.parent' }))
  })

  test('a sequence number skipped is a gap, one repeated a duplicate', () => {
    const more = blocksOn(first[2]!.ref, [1]).map(encodeBlock)
    const frames = (seq: bigint) => framesOf({ blocks: more, parent: first[2]!.ref }, seq)
    expect(() => pushAll(opened(), frames(3n))).toThrow(expect.objectContaining({ where: 'begin.seq' }))
    const one = opened()
    const again = framesOf({ blocks: first.map(encodeBlock) }, 1n)
    expect(pushAll(one, again)).toMatchObject({ type: 'duplicate' })
    expect(one.chain.tip).toEqual(first[2]!.ref)
    expect(pushAll(one, frames(2n))).toMatchObject({ type: 'notification' })
  })

  test('a heartbeat that names a later sequence shows a lost notification', () => {
    const one = opened()
    one.checkLastSeq(1n)
    expect(() => one.checkLastSeq(2n)).toThrow(expect.objectContaining({ code: 'DATA_LOSS' }))
  })
})
