import { getHttpRpcClient, getWebSocketRpcClient } from 'viem/utils'
import { MalformedAnswerError, NodeRefusedError, NodeUnreachableError, SourceClosedError } from './errors.ts'

export type NodeConnectionOptions = {
  /** `http(s)://` or `ws(s)://`. */
  readonly url: string
  /** Longest wait for one answer, and for the connection itself. */
  readonly requestTimeoutMs: number
  /** Ends the connection and every call in flight. */
  readonly signal: AbortSignal
  /** The node says its head moved. WebSocket only. */
  readonly onHead: () => void
  /** The connection broke: every call from here on throws `NodeUnreachableError`. WebSocket only. */
  readonly onClose: () => void
  /** Told of every call. */
  readonly onRequest?: ((method: string, seconds: number, succeeded: boolean) => void) | undefined
}

/** One connection to a node, with plain JSON in and out. */
export type NodeConnection = {
  /** Throws `NodeUnreachableError`, `NodeRefusedError` (a JSON-RPC error), `SourceClosedError`. */
  request(method: string, params: readonly unknown[]): Promise<unknown>
  close(): void
}

type RpcAnswer = { readonly error?: unknown; readonly result?: unknown }
type Call = (method: string, params: readonly unknown[], signal: AbortSignal) => Promise<RpcAnswer>

/** Whether a URL can carry subscriptions. */
export function isWebSocketUrl(url: string): boolean {
  return /^wss?:\/\//i.test(url)
}

/** Host and port of a node, for people: a path, a query and a user name may be secrets. */
export function nodeName(url: string): string {
  return new URL(url).host
}

/** Connects; over WebSocket also subscribes to new heads (a node without subscriptions is merely polled). */
export async function openNodeConnection(options: NodeConnectionOptions): Promise<NodeConnection> {
  if (options.signal.aborted) throw new SourceClosedError()
  return isWebSocketUrl(options.url) ? openWebSocket(options) : openHttp(options)
}

function openHttp(options: NodeConnectionOptions): NodeConnection {
  // No limit on a body: receipts of one block may exceed viem's 10 MiB, and the node is the operator's choice.
  const client = getHttpRpcClient(options.url, { timeout: 0, maxResponseBodySize: false })
  const call: Call = (method, params, signal) =>
    client.request({ body: { method, params }, fetchOptions: { signal } }) as Promise<RpcAnswer>
  const closed = new AbortController()
  return { request: requester(options, call, closed.signal), close: () => closed.abort() }
}

/** Sockets opened by this process. */
let opened = 0

async function openWebSocket(options: NodeConnectionOptions): Promise<NodeConnection> {
  // viem shares one socket among callers with equal options; the extra property makes this one ours alone to close.
  const keepAlive = { interval: 30_000, socket: opened++ }
  // Reconnecting is left to the caller, who must check first that it is still the same chain.
  const connecting = getWebSocketRpcClient(options.url, { keepAlive, reconnect: false })
  const abandoned = new AbortController()
  connecting.then(
    (client) => abandoned.signal.aborted && client.close(),
    () => {}, // reported through `within` below; this branch only serves a connection that comes too late
  )
  const client = await within(options, options.signal, () => connecting).catch((error: unknown) => {
    abandoned.abort()
    throw error
  })

  const closed = new AbortController()
  const close = () => {
    if (closed.signal.aborted) return
    closed.abort()
    options.signal.removeEventListener('abort', close)
    client.close()
  }
  options.signal.addEventListener('abort', close)
  const lost = () => {
    if (closed.signal.aborted) return
    close()
    options.onClose()
  }
  client.socket.addEventListener('close', lost)
  client.socket.addEventListener('error', lost)

  const call: Call = (method, params) =>
    new Promise((onResponse, onError) => client.request({ body: { method, params }, onResponse, onError }))
  const request = requester(options, call, closed.signal)
  // Every notification comes to the callback of the call that subscribed, so this one call has its own.
  const subscribe: Call = (method, params) =>
    new Promise((resolve, onError) =>
      client.request({
        body: { method, params: [...params] },
        onError,
        onResponse: (answer) =>
          'id' in answer && answer.id !== undefined ? resolve(answer) : options.onHead(),
      }),
    )
  try {
    await requester(options, subscribe, closed.signal)('eth_subscribe', ['newHeads'])
  } catch (error) {
    if (!(error instanceof NodeRefusedError)) {
      close()
      throw error
    }
  }
  return { request, close }
}

function requester(
  options: NodeConnectionOptions,
  call: Call,
  closed: AbortSignal,
): NodeConnection['request'] {
  return async (method, params) => {
    const start = performance.now()
    let succeeded = false
    try {
      const answer: RpcAnswer | null = await within(options, closed, (signal) => call(method, params, signal))
      if (typeof answer !== 'object' || answer === null || !('error' in answer || 'result' in answer))
        throw new MalformedAnswerError({
          field: 'answer',
          where: method,
          expected: 'an object with a result or an error',
          actual: answer,
        })
      if (answer.error !== undefined && answer.error !== null) throw refused(options, method, answer.error)
      succeeded = true
      return answer.result
    } finally {
      options.onRequest?.(method, (performance.now() - start) / 1000, succeeded)
    }
  }
}

/** Runs a call until it answers, the time is up, the connection closes or the source ends; whatever it throws gets its type. */
async function within<T>(
  options: NodeConnectionOptions,
  closed: AbortSignal,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { signal: lifetime, requestTimeoutMs, url } = options
  const node = nodeName(url)
  const call = new AbortController()
  const ended = Promise.withResolvers<never>()
  const end = () => {
    call.abort()
    ended.reject(
      lifetime.aborted
        ? new SourceClosedError()
        : new NodeUnreachableError({ node, why: 'connection closed' }),
    )
  }
  const timer = setTimeout(() => {
    call.abort()
    ended.reject(new NodeUnreachableError({ node, why: `no answer within ${requestTimeoutMs} ms` }))
  }, requestTimeoutMs)
  lifetime.addEventListener('abort', end)
  closed.addEventListener('abort', end)
  try {
    if (lifetime.aborted || closed.aborted) end()
    return await Promise.race([ended.promise, run(call.signal)])
  } catch (error) {
    if (error instanceof NodeUnreachableError || error instanceof SourceClosedError) throw error
    if (lifetime.aborted) throw new SourceClosedError()
    throw new NodeUnreachableError({ node, ...reason(error) })
  } finally {
    clearTimeout(timer)
    lifetime.removeEventListener('abort', end)
    closed.removeEventListener('abort', end)
  }
}

function refused(options: NodeConnectionOptions, method: string, error: unknown): NodeRefusedError {
  const { code, message } = (typeof error === 'object' ? error : { message: error }) as {
    code?: unknown
    message?: unknown
  }
  return new NodeRefusedError({
    node: nodeName(options.url),
    method,
    rpcCode: typeof code === 'number' ? code : undefined,
    reason: String(message ?? 'no message'),
  })
}

/** The innermost cause in words. viem's own errors print the whole URL, which may hold a key: they are not kept. */
function reason(error: unknown): { readonly why: string; readonly cause?: unknown } {
  let inner = error
  // A WebSocket's error comes as an event.
  if (typeof inner === 'object' && inner !== null && 'error' in inner && inner.error instanceof Error)
    inner = inner.error
  while (inner instanceof Error && inner.cause instanceof Error) inner = inner.cause
  if (inner instanceof AggregateError && inner.errors.length > 0) inner = inner.errors[0]
  const facts = inner as {
    status?: unknown
    details?: unknown
    code?: unknown
    message?: unknown
    type?: unknown
  }
  if (typeof facts.status === 'number') return { why: `HTTP status ${facts.status}` }
  // A WebSocket that could not connect says nothing at all: no message, no code.
  const why = String(facts.details || facts.message || facts.code || facts.type || 'no connection')
  return inner instanceof Error && inner !== error ? { why, cause: inner } : { why }
}
