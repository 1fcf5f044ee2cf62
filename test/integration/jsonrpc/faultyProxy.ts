import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import type { StartedAnvil } from './startAnvil.ts'

export type RpcCall = { readonly method: string; readonly params: readonly unknown[] }
export type RpcOutcome = { readonly result: unknown } | { readonly error: { code: number; message: string } }

/**
 * What a call gets instead of the node's own answer; undefined: that answer. `forward` asks the node, so that a fault can act
 * before, after, or upon it.
 */
export type Fault = (call: RpcCall, forward: () => Promise<unknown>) => Promise<RpcOutcome | undefined>

export const methodMissing: RpcOutcome = { error: { code: -32601, message: 'the method does not exist' } }

/** A real node behind HTTP with faults on demand: what nodes of other makes, or in other states, answer. */
export async function startFaultyProxy(
  node: StartedAnvil,
  fault: Fault,
): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer(async (request, response) => {
    const { id, method, params } = (await json(request)) as RpcCall & { id: number }
    const forward = () => node.request(method, params)
    const outcome = (await fault({ method, params }, forward)) ?? { result: await forward() }
    response
      .setHeader('content-type', 'application/json')
      .end(JSON.stringify({ jsonrpc: '2.0', id, ...outcome }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
