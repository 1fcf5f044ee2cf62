import { Server, ServerCredentials, type ServerWritableStream } from '@grpc/grpc-js'
import type { buildBlock } from '../../../harness/feed/index.ts'
import { remoteSchema, remoteService } from '../../../sidecar/exex/remoteService.ts'

/** A server that sends what the test says, and nothing in between. */
export async function startScriptedOfficial(closing: (() => unknown)[]) {
  const NotificationMessage = remoteSchema.lookupType('exex.ExExNotification')
  const calls = new Set<ServerWritableStream<Buffer, Buffer>>()
  const server = new Server()
  server.addService(remoteService, {
    subscribe: (call: ServerWritableStream<Buffer, Buffer>) => {
      calls.add(call)
      call.on('close', () => calls.delete(call))
      call.sendMetadata(call.metadata.clone())
    },
  })
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  )
  closing.push(() => server.forceShutdown())
  const bytes = (hash: string) => Buffer.from(hash.slice(2), 'hex')
  return {
    /** Open subscriptions. */
    consumers: () => calls.size,
    url: `grpc://127.0.0.1:${port}`,
    commit: (block: ReturnType<typeof buildBlock>) => {
      const header = {
        number: Number(block.ref.number),
        parentHash: bytes(block.parent.hash),
        timestamp: Number(block.timestamp),
      }
      const blocks = [{ header: { hash: bytes(block.ref.hash), header }, body: [], senders: [] }]
      const message = NotificationMessage.encode({ chainCommitted: { new: { blocks } } }).finish()
      for (const call of calls) call.write(Buffer.from(message))
    },
  }
}
