import { Client, credentials } from '@grpc/grpc-js'
import { exExMethods } from '#exex/server'
import { decodeServerFrames, encodeClientFrame } from '../../../sidecar/exex/frameCodec.ts'
import type { ClientFrame, HelloFrame, ServerFrame } from '../../../sidecar/exex/frames.ts'

/** A session without any of the client's own care. */
export type RawSession = {
  /** The gRPC status it ended with. */
  readonly ended: Promise<number>
  send(frame: ClientFrame): void
  /** The next frame not looked at before for which this holds. */
  until(condition: (frame: ServerFrame) => boolean): Promise<ServerFrame>
  close(): void
}

/** What a consumer without history says first; tests replace what they are about. */
export function hello(): HelloFrame {
  return {
    type: 'hello',
    protocolMin: 1,
    protocolMax: 1,
    features: [],
    consumerId: 'raw',
    mode: 'durable',
    chainId: 0n,
    genesisHash: undefined,
    profile: 'transactions',
    maxFrameBytes: 0,
    locator: [],
    start: undefined,
    finalized: undefined,
    durable: undefined,
  }
}

/** Opens a session as a client that says what it is told to, right or wrong. */
export function openRawSession(address: string): RawSession {
  const client = new Client(address, credentials.createInsecure())
  const { path, requestSerialize, responseDeserialize } = exExMethods.session
  const stream = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize)
  const frames: ServerFrame[] = []
  let look = () => {}
  let read = 0
  stream.on('data', (bytes: Buffer) => {
    frames.push(...decodeServerFrames(bytes))
    look()
  })
  const ended = new Promise<number>((resolve) => {
    stream.on('error', () => {})
    stream.on('status', (end) => resolve(end.code))
  })
  return {
    ended,
    send: (frame: ClientFrame) => void stream.write(encodeClientFrame(frame)),
    until: (condition: (frame: ServerFrame) => boolean) =>
      new Promise<ServerFrame>((resolve) => {
        look = () => {
          while (read < frames.length) {
            const frame = frames[read++]!
            if (!condition(frame)) continue
            look = () => {}
            resolve(frame)
            return
          }
        }
        look()
      }),
    close: () => {
      stream.cancel()
      client.close()
    },
  }
}
