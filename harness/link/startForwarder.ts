import { once } from 'node:events'
import { createConnection, createServer, type Socket } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { HarnessError } from '../errors.ts'

export type Forwarder = AsyncDisposable & {
  /** `host:port` */
  readonly address: string
}

/**
 * Lets others reach a server that listens on this machine's loopback only.
 *
 * @param host an address of this machine that they reach
 * @param target `host:port` of the server
 * @throws HarnessError `LINK_FAILED`: `host` is no address of this machine
 */
export async function startForwarder(host: string, target: string): Promise<Forwarder> {
  const open = new Set<Socket>()
  const [name, port] = target.split(':')
  const server = createServer((near) => {
    const far = createConnection(Number(port), name)
    for (const socket of [near, far]) {
      socket.setNoDelay(true)
      open.add(socket)
      socket.once('close', () => open.delete(socket))
    }
    // Whoever breaks it, the other side is told by the end of its own connection.
    pipeline(near, far, near).catch(() => {})
  }).listen(0, host)
  await once(server, 'listening').catch((cause) => {
    const message = `expected the containers' gateway ${host} to be an address of this machine: the engine must run on it`
    throw new HarnessError('LINK_FAILED', message, { cause })
  })
  return {
    address: `${host}:${(server.address() as { port: number }).port}`,
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, 'close')
      server.close()
      for (const socket of open) socket.destroy()
      await closed
    },
  }
}
