import {
  Client,
  type ClientDuplexStream,
  credentials,
  type handleUnaryCall,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServiceError,
} from '@grpc/grpc-js'
import {
  decodeServerFrames,
  encodeMessage,
  encodeServerFrame,
  exExMethods,
  exExService,
  type ServerFrame,
} from '#exex/server'

/**
 * What the proxy can do to the sessions through it, once each time it is asked:
 *
 * - `duplicate`: the next notification comes twice
 * - `gap`: the next notification never comes
 * - `cut`: the connection breaks in the middle of the next notification
 * - `wrongParent`: the next notification names a parent nobody knows
 * - `corrupt`: a byte of the next block is not as sent
 * - `reorder`: the end of the next notification comes before its blocks
 * - `oversized`: a message above every limit comes first
 * - `garbage`: a message that is none comes first
 */
export const feedFaults = [
  'duplicate',
  'gap',
  'cut',
  'wrongParent',
  'corrupt',
  'reorder',
  'oversized',
  'garbage',
] as const
export type FeedFault = (typeof feedFaults)[number]

export type FaultyProxy = {
  /** `host:port`, for clients. */
  readonly address: string
  /** Faults not yet done, in order. */
  readonly pending: readonly FeedFault[]
  /** Done to the next notification of any session. */
  inject(fault: FeedFault): void
  /** Breaks every session now. */
  cut(): void
  /** From now on nothing is passed on, in either direction, until `resume`. */
  stall(): void
  resume(): void
  close(): Promise<void>
}

type Relay = {
  readonly downstream: ServerDuplexStream<Buffer, Buffer>
  readonly upstream: ClientDuplexStream<Buffer, Buffer>
}

/** A gRPC proxy before an ExEx server, at `host:port`, that breaks the contract by name. */
export async function startFaultyProxy(upstreamAddress: string): Promise<FaultyProxy> {
  const limits = { 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 }
  const client = new Client(upstreamAddress, credentials.createInsecure(), limits)
  const server = new Server(limits)
  const pending: FeedFault[] = []
  const relays = new Set<Relay>()
  let isStalled = false

  function session(downstream: ServerDuplexStream<Buffer, Buffer>): void {
    const { path, requestSerialize, responseDeserialize } = exExMethods.session
    const upstream = client.makeBidiStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      downstream.metadata,
    )
    const relay = { downstream, upstream }
    relays.add(relay)
    const tamper = tamperWith(pending)
    const end = () => relays.delete(relay)
    if (isStalled) pause(relay)
    downstream.on('data', (bytes: Buffer) => upstream.write(bytes))
    downstream.on('end', () => upstream.end())
    downstream.on('cancelled', () => {
      upstream.cancel()
      end()
    })
    downstream.on('error', end)
    upstream.on('data', (bytes: Buffer) => {
      for (const message of decodeServerFrames(bytes).flatMap(tamper)) {
        if (!relays.has(relay)) return
        if (message === 'cut') breakOff(relay)
        else if (!downstream.write(message) && !upstream.isPaused()) {
          upstream.pause()
          downstream.once('drain', () => isStalled || upstream.resume())
        }
      }
    })
    upstream.on('error', (error: ServiceError) => {
      if (relays.delete(relay)) downstream.emit('error', { code: error.code, details: error.details })
    })
    upstream.on('end', () => {
      if (relays.delete(relay)) downstream.end()
    })
  }

  function breakOff(relay: Relay): void {
    relays.delete(relay)
    relay.upstream.cancel()
    relay.downstream.emit('error', { code: 14, details: 'the connection was cut' })
  }

  server.addService(exExService, {
    session,
    getInfo: relayUnary(client, exExMethods.getInfo),
    listConsumers: relayUnary(client, exExMethods.listConsumers),
    dropConsumer: relayUnary(client, exExMethods.dropConsumer),
    acknowledge: relayUnary(client, exExMethods.acknowledge),
  })
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    )
  })

  return {
    address: `127.0.0.1:${port}`,
    pending,
    inject: (fault) => void pending.push(fault),
    cut() {
      for (const relay of [...relays]) breakOff(relay)
    },
    stall() {
      isStalled = true
      for (const relay of relays) pause(relay)
    },
    resume() {
      isStalled = false
      for (const { downstream, upstream } of relays) {
        downstream.resume()
        upstream.resume()
      }
    },
    async close() {
      for (const relay of [...relays]) breakOff(relay)
      server.forceShutdown()
      client.close()
    },
  }
}

function pause({ downstream, upstream }: Relay): void {
  downstream.pause()
  upstream.pause()
}

/** Per session: what to send in a frame's place. Faults wait for a Begin, so that one fault spoils one notification. */
function tamperWith(pending: FeedFault[]): (frame: ServerFrame) => readonly (Buffer | 'cut')[] {
  let fault: FeedFault | undefined
  let kept: Buffer[] = []
  return (frame) => {
    const before: Buffer[] = []
    if (frame.type === 'begin') {
      fault = pending.shift()
      kept = []
      if (fault === 'oversized') before.push(Buffer.alloc(5 << 20))
      // A tag of field 0, which does not exist.
      if (fault === 'garbage') before.push(Buffer.alloc(64))
    }
    const isPart = frame.type === 'begin' || frame.type === 'chunk' || frame.type === 'end'
    if (!isPart || fault === undefined) return [encodeMessage([encodeServerFrame(frame)])]
    const bytes = encodeMessage([encodeServerFrame(spoil(frame, fault))])
    switch (fault) {
      case 'gap':
        return []
      case 'cut':
        return frame.type === 'begin' ? [bytes] : ['cut']
      case 'duplicate':
        kept.push(bytes)
        return frame.type === 'end' ? [...kept, ...kept] : []
      case 'reorder':
        kept.push(bytes)
        return frame.type === 'end' ? [kept[0]!, ...kept.slice(1).reverse()] : []
      default:
        return [...before, bytes]
    }
  }
}

function spoil(frame: ServerFrame, fault: FeedFault): ServerFrame {
  if (fault === 'wrongParent' && frame.type === 'begin') {
    return { ...frame, parent: { number: frame.parent.number, hash: `0x${'ee'.repeat(32)}` } }
  }
  if (fault === 'corrupt' && frame.type === 'chunk') {
    const data = Buffer.from(frame.data)
    data[data.length >> 1]! ^= 0xff
    return { ...frame, data }
  }
  return frame
}

type UnaryMethod<Request, Response> = {
  readonly path: string
  readonly requestSerialize: (request: Request) => Buffer
  readonly responseDeserialize: (bytes: Buffer) => Response
}

function relayUnary<Request, Response>(
  client: Client,
  method: UnaryMethod<Request, Response>,
): handleUnaryCall<Request, Response> {
  return (call, callback) => {
    const { path, requestSerialize, responseDeserialize } = method
    client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      call.request,
      call.metadata,
      callback,
    )
  }
}
