import { WireError } from './errors.ts'
import type { ChunkFrame, ClientFrame, ServerFrame } from './frames.ts'
import { decodeValue, encodeValue, type MessageValue, parse } from './messageCodec.ts'
import { bytesSize, MessageWriter, messageSize, uintSize } from './messageWriter.ts'
import { exExSchema } from './schema.ts'

const ClientFrameMessage = exExSchema.lookupType('exex.v1.ClientFrame')
const ServerFrameMessage = exExSchema.lookupType('exex.v1.ServerFrame')
const CHUNK_FIELD = ServerFrameMessage.fields.chunk!.id
const NO_DATA = new Uint8Array(0)
const PACK_FIELD = ServerFrameMessage.fields.pack!.id

export function encodeClientFrame(frame: ClientFrame): Buffer {
  return encodeValue(ClientFrameMessage, { [frame.type]: frame })
}

/** Throws `WireError` for what is not a client frame this version knows: a server must not guess at requests. */
export function decodeClientFrame(bytes: Uint8Array): ClientFrame {
  const message = parse(ClientFrameMessage, bytes)
  const type = caseOf(message)
  if (type === undefined) throw new WireError('ClientFrame', 'a frame this version knows', 'none')
  return { type, ...fieldsOf(ClientFrameMessage, message, type) } as ClientFrame
}

/** A frame encoded but for its last copy: what comes before the data, and the data, a view on the block. */
export type EncodedFrame = { readonly head: Buffer; readonly data: Uint8Array }

export const lengthOf = (frame: EncodedFrame): number => frame.head.length + frame.data.length

export function encodeServerFrame(frame: ServerFrame): EncodedFrame {
  if (frame.type === 'chunk') return encodeChunk(frame)
  return { head: encodeValue(ServerFrameMessage, { [frame.type]: frame }), data: NO_DATA }
}

/**
 * One message of one frame, or of several as a pack: where block data is copied, once. A pack that fits into `reused` is
 * written there.
 */
export function encodeMessage(frames: readonly EncodedFrame[], reused?: Buffer): Buffer {
  const [first, second] = frames
  if (first !== undefined && second === undefined) {
    return first.data.length === 0 ? first.head : Buffer.concat([first.head, first.data])
  }
  const length = frames.reduce((sum, frame) => sum + messageSize(1, lengthOf(frame)), 0)
  const size = messageSize(PACK_FIELD, length)
  const writer = new MessageWriter(size, reused !== undefined && size <= reused.length ? reused : undefined)
  writer.open(PACK_FIELD, length)
  for (const frame of frames) {
    writer.open(1, lengthOf(frame))
    writer.raw(frame.head)
    writer.raw(frame.data)
  }
  return writer.finish()
}

/**
 * The frames of one message, unpacked, in order; chunk data are views on `bytes`. A kind of frame this version does not
 * know is left out: a newer server may add some. Throws `WireError` for anything malformed.
 */
export function decodeServerFrames(bytes: Uint8Array): readonly ServerFrame[] {
  const message = parse(ServerFrameMessage, bytes)
  if (caseOf(message) !== 'pack') return toServerFrame(message)
  const { frames } = message.pack as { frames: readonly MessageValue[] }
  return frames.flatMap((frame) => {
    if (caseOf(frame) === 'pack')
      throw new WireError('ServerFrame.pack', 'single frames', 'a pack within a pack')
    return toServerFrame(frame)
  })
}

function toServerFrame(message: MessageValue): readonly ServerFrame[] {
  const type = caseOf(message)
  if (type === undefined) return []
  if (type !== 'chunk') return [{ type, ...fieldsOf(ServerFrameMessage, message, type) } as ServerFrame]
  const chunk = message.chunk as MessageValue
  return [{ type, ...decodeValue(ServerFrameMessage.lookupType('BlockChunk'), chunk) } as ChunkFrame]
}

function encodeChunk({ number, offset, total, data }: ChunkFrame): EncodedFrame {
  const dataHead = bytesSize(4, data.length) - data.length
  const length = uintSize(1, number) + uintSize(2, offset) + uintSize(3, total) + dataHead + data.length
  const writer = new MessageWriter(messageSize(CHUNK_FIELD, length) - data.length)
  writer.open(CHUNK_FIELD, length)
  writer.uint(1, number)
  writer.uint(2, offset)
  writer.uint(3, total)
  if (data.length > 0) writer.open(4, data.length)
  return { head: writer.finish(), data }
}

/** Which member of the message's oneof `frame` is set. */
function caseOf(message: MessageValue): string | undefined {
  return message.frame as string | undefined
}

function fieldsOf(type: typeof ClientFrameMessage, message: MessageValue, name: string): MessageValue {
  const resolved = type.fields[name]!.resolve().resolvedType
  if (resolved === null || !('fields' in resolved))
    throw new WireError(type.name, 'a message in every frame', name)
  return decodeValue(resolved, message[name] as MessageValue)
}
