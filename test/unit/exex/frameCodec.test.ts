import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { WireError } from '../../../sidecar/exex/errors.ts'
import {
  decodeClientFrame,
  decodeServerFrames,
  encodeClientFrame,
  encodeMessage,
  encodeServerFrame,
} from '../../../sidecar/exex/frameCodec.ts'
import {
  type ClientFrame,
  directiveKinds,
  kinds,
  modes,
  origins,
  profiles,
  type ServerFrame,
} from '../../../sidecar/exex/frames.ts'
import { hashes } from './blocks.ts'

const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
const uint32 = fc.nat({ max: 0xffff_ffff })
const ref = fc.record({ number: uint64, hash: hashes })
const maybe = <T>(one: fc.Arbitrary<T>) => fc.option(one, { nil: undefined })
const type = <T extends string>(name: T) => fc.constant(name)
const text = fc.string({ maxLength: 30 })

const clientFrames: fc.Arbitrary<ClientFrame> = fc.oneof(
  fc.record({
    type: type('hello'),
    protocolMin: uint32,
    protocolMax: uint32,
    features: fc.array(text),
    consumerId: text,
    mode: fc.constantFrom(...modes),
    chainId: uint64,
    genesisHash: maybe(hashes),
    profile: fc.constantFrom(...profiles),
    maxFrameBytes: uint32,
    locator: fc.array(ref),
    start: maybe(uint64),
    finalized: maybe(ref),
    durable: maybe(ref),
  }),
  fc.record({ type: type('ack'), processed: maybe(ref), durable: maybe(ref) }),
  fc.record({ type: type('credit'), bytes: uint64, notifications: uint32 }),
  fc.record({ type: type('pong'), nonce: uint64 }),
  fc.record({ type: type('bye'), reason: text }),
)

const time = fc.double({ min: 0, max: 1e13, noNaN: true })
const serverFrames: fc.Arbitrary<ServerFrame> = fc.oneof(
  fc.record({
    type: type('begin'),
    seq: uint64,
    kind: fc.constantFrom(...kinds),
    parent: ref,
    undo: fc.array(ref),
    blockCount: uint32,
    totalBytes: uint64,
    head: ref,
    safe: maybe(ref),
    finalized: maybe(ref),
    nodeTimeMs: time,
    sentTimeMs: time,
    origin: fc.constantFrom(...origins),
  }),
  fc.record({
    type: type('chunk'),
    number: uint64,
    offset: uint32,
    total: uint32,
    data: fc.uint8Array({ maxLength: 400 }),
  }),
  fc.record({
    type: type('end'),
    seq: uint64,
    blockCount: uint32,
    totalBytes: uint64,
    crc32: uint32,
    cursor: ref,
  }),
  fc.record({ type: type('directive'), kind: fc.constantFrom(...directiveKinds), message: text }),
  fc.record({ type: type('acknowledged'), durable: maybe(ref), finishedHeight: maybe(ref) }),
)

/** Chunk data come as a Buffer or a plain array, as protobufjs has them. */
const plain = (frame: ServerFrame): ServerFrame =>
  frame.type === 'chunk' ? { ...frame, data: Uint8Array.from(frame.data) } : frame

describe('frames', () => {
  test('of a client come back as they were', () => {
    fc.assert(
      fc.property(clientFrames, (frame) => {
        expect(decodeClientFrame(encodeClientFrame(frame))).toEqual(frame)
      }),
    )
  })

  test('of a server come back as they were, singly and packed', () => {
    fc.assert(
      fc.property(fc.array(serverFrames, { minLength: 1, maxLength: 5 }), (frames) => {
        const encoded = frames.map(encodeServerFrame)
        expect(encoded.flatMap((frame) => decodeServerFrames(encodeMessage([frame]))).map(plain)).toEqual(
          frames,
        )
        expect(decodeServerFrames(encodeMessage(encoded)).map(plain)).toEqual(frames)
      }),
    )
  })

  test('from noise are an error of ours or nothing, never another error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
        for (const decode of [decodeClientFrame, decodeServerFrames]) {
          try {
            decode(noise)
          } catch (error) {
            expect(error).toBeInstanceOf(WireError)
          }
        }
      }),
    )
  })

  test('with a hash of another length are refused by field', () => {
    // ack { processed { number 1, hash of 1 byte } }
    const bytes = Buffer.of(0x12, 0x07, 0x0a, 0x05, 0x08, 0x01, 0x12, 0x01, 0xff)
    expect(() => decodeClientFrame(bytes)).toThrow(expect.objectContaining({ field: 'Ack.processed.hash' }))
  })
})
