import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import protobuf from 'protobufjs'
import { describe, expect, test } from 'vitest'
import { buildBlock } from '../../../harness/feed/index.ts'
import { decodeBlock, encodeBlock, withoutLogs } from '../../../sidecar/exex/blockCodec.ts'
import { WireError } from '../../../sidecar/exex/errors.ts'
import { exExSchema } from '../../../sidecar/exex/schema.ts'
import { blocks, plain } from './blocks.ts'

const BlockMessage = exExSchema.lookupType('exex.v1.Block')
const parent = { number: 6n, hash: `0x${'07'.repeat(32)}` } as const
const log = { address: `0x${'01'.repeat(20)}`, topics: [], data: '0x' } as const
const sample = buildBlock({
  parent,
  timestamp: 12n,
  transactions: [{ input: '0x0102030405' }, { logs: [log] }],
})

/** The sample with one field of its message changed. */
function changed(fields: Record<string, unknown>): Uint8Array {
  const message = BlockMessage.decode(encodeBlock(sample).bytes)
  return BlockMessage.encode({ ...message, ...fields }).finish()
}

describe('a block', () => {
  test('comes back as it was, whatever its fields', () => {
    fc.assert(
      fc.property(blocks, (block) => {
        const encoded = encodeBlock(block)
        expect(plain(decodeBlock(encoded.bytes))).toEqual(plain(block))
        expect(encoded).toMatchObject({ ref: block.ref, parent: block.parent, crc32: crc32(encoded.bytes) })
      }),
    )
  })

  test('is written as protobufjs would write it', () => {
    fc.assert(
      fc.property(blocks, (block) => {
        const { bytes } = encodeBlock(block)
        const again = BlockMessage.encode(BlockMessage.decode(bytes)).finish()
        expect(Buffer.compare(bytes, again), 'same bytes').toBe(0)
      }),
    )
  })

  test('without logs is the same but for them', () => {
    fc.assert(
      fc.property(blocks, (block) => {
        const lean = withoutLogs(encodeBlock(block))
        const { count } = block.transactions
        const expected = { ...block.transactions, logEnds: new Uint32Array(count), logs: new Uint8Array(0) }
        expect(plain(decodeBlock(lean.bytes))).toEqual(plain({ ...block, transactions: expected }))
        expect(lean.crc32).toBe(crc32(lean.bytes))
      }),
    )
  })

  test('has its byte columns as views on the frame, the u32 columns as aligned copies', () => {
    const frame = Buffer.concat([Buffer.of(0), encodeBlock(sample).bytes])
    const { hashes, inputEnds } = decodeBlock(frame.subarray(1)).transactions
    expect(hashes.buffer).toBe(frame.buffer)
    expect(inputEnds.buffer).not.toBe(frame.buffer)
  })

  test('has typed arrays for columns even where it has no transactions', () => {
    const empty = decodeBlock(encodeBlock(buildBlock({ parent, timestamp: 1n, transactions: [] })).bytes)
    for (const [name, column] of Object.entries(empty.transactions)) {
      if (name === 'count') continue
      expect(ArrayBuffer.isView(column), name).toBe(true)
    }
  })

  test('skips fields of a newer version', () => {
    const newer = protobuf.Writer.create()
      .uint32((900 << 3) | 2)
      .bytes(Buffer.from('later'))
      .finish()
    const bytes = Buffer.concat([encodeBlock(sample).bytes, newer])
    expect(plain(decodeBlock(bytes))).toEqual(plain(sample))
  })
})

describe('a malformed block is refused by field', () => {
  test.each<[string, Record<string, unknown>, string]>([
    ['a hash of 31 bytes', { hash: Buffer.alloc(31) }, 'block.hash'],
    ['no parent hash', { parentHash: Buffer.alloc(0) }, 'block.parent_hash'],
    ['a column too short', { senders: Buffer.alloc(39) }, 'block.senders'],
    ['a column too long', { values: Buffer.alloc(65) }, 'block.values'],
    ['more rows than columns', { count: 3 }, 'block.hashes'],
    ['input ends that fall', { inputEnds: Buffer.from(Uint32Array.of(5, 4).buffer) }, 'block.input_ends[1]'],
    [
      'input ends beyond the buffer',
      { inputEnds: Buffer.from(Uint32Array.of(5, 6).buffer) },
      'block.input_ends',
    ],
    ['logs that nothing ends', { logs: Buffer.alloc(30) }, 'block.log_ends'],
    ['a status of 3', { statuses: Buffer.of(1, 3) }, 'block.statuses[1]'],
  ])('%s', (_, fields, field) => {
    const bytes = changed(fields)
    expect(() => decodeBlock(bytes)).toThrow(WireError)
    expect(() => decodeBlock(bytes)).toThrow(expect.objectContaining({ code: 'MALFORMED', field }))
  })

  test('cut anywhere, with an error of ours and never another', () => {
    const { bytes } = encodeBlock(sample)
    for (let length = 0; length < bytes.length; length++) {
      const cut = bytes.subarray(0, length)
      // Cut between fields it may still be a message, and then says what is missing; only logs may be missing.
      try {
        expect(decodeBlock(cut).transactions.logs, `cut at ${length}`).toHaveLength(0)
      } catch (error) {
        expect(error, `cut at ${length}`).toBeInstanceOf(WireError)
      }
    }
  })

  test('noise, with an error of ours and never another', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), (noise) => {
        expect(() => decodeBlock(noise)).toThrow(WireError)
      }),
    )
  })

  test('is not even written', () => {
    const transactions = { ...sample.transactions, nonces: new Uint8Array(3) }
    expect(() => encodeBlock({ ...sample, transactions })).toThrow(
      expect.objectContaining({ field: 'block.nonces' }),
    )
    expect(() => encodeBlock({ ...sample, gasUsed: 2n ** 64n })).toThrow(WireError)
    expect(() => encodeBlock({ ...sample, ref: { number: 7n, hash: '0x12' } })).toThrow(WireError)
  })
})
