import { Client, credentials, Server, ServerCredentials, type ServerWritableStream } from '@grpc/grpc-js'

export type OfficialProxy = AsyncDisposable & {
  /** `host:port` */
  readonly address: string
}

const path = '/exex.RemoteExEx/Subscribe'
const asItIs = (bytes: Buffer) => bytes
const unlimited = { 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 }

/** A server that speaks the official `exex.RemoteExEx` and nothing else, byte for byte what one that speaks both says. */
export async function startOfficialProxy(upstream: string): Promise<OfficialProxy> {
  const client = new Client(upstream, credentials.createInsecure(), unlimited)
  const server = new Server(unlimited)
  server.addService(
    {
      subscribe: {
        path,
        requestStream: false,
        responseStream: true,
        requestSerialize: asItIs,
        requestDeserialize: asItIs,
        responseSerialize: asItIs,
        responseDeserialize: asItIs,
      },
    },
    {
      subscribe: (call: ServerWritableStream<Buffer, Buffer>) => {
        const source = client.makeServerStreamRequest(path, asItIs, asItIs, call.request)
        source.on('metadata', (metadata) => call.sendMetadata(metadata))
        source.on('data', (bytes: Buffer) => {
          if (call.write(bytes)) return
          source.pause()
          call.once('drain', () => source.resume())
        })
        source.on('end', () => call.end())
        source.on('error', (error) => call.emit('error', error))
        call.on('cancelled', () => source.cancel())
      },
    },
  )
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  )
  return {
    address: `127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      server.forceShutdown()
      client.close()
    },
  }
}
