import { HarnessError } from '../errors.ts'

export type RpcCall = { readonly method: string; readonly params: readonly unknown[] }

export type Rpc = {
  /** Throws HarnessError `RPC_FAILED` with what the node answered. */
  readonly call: <T>(method: string, params?: readonly unknown[]) => Promise<T>
  /** One request for all; answers in the order of the calls. Throws when any of them failed. */
  readonly batch: <T>(calls: readonly RpcCall[]) => Promise<T[]>
}

type Answer = {
  readonly id: number
  readonly result?: unknown
  readonly error?: { readonly message: string }
}

/** A plain JSON-RPC client over HTTP. `headers` is asked for more of them at every request. */
export function createRpc(
  url: string,
  { signal, headers }: { signal?: AbortSignal; headers?: () => Record<string, string> } = {},
): Rpc {
  const failed = (cause: unknown): never => {
    throw new HarnessError('RPC_FAILED', `expected an answer from ${url}, none came`, { cause })
  }
  const post = async (body: unknown): Promise<unknown> => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers?.() },
      body: JSON.stringify(body),
      ...(signal === undefined ? {} : { signal }),
    }).catch(failed)
    if (!response.ok)
      throw new HarnessError('RPC_FAILED', `expected an answer from ${url}, got HTTP ${response.status}`)
    // A node that dies may have sent a part of it.
    return response.json().catch(failed)
  }
  const resultOf = (method: string, answer: Answer | undefined): unknown => {
    if (answer !== undefined && answer.error === undefined) return answer.result
    const came = answer?.error?.message ?? 'no answer'
    throw new HarnessError('RPC_FAILED', `expected ${url} to take ${method}, it said: ${came}`)
  }
  return {
    call: async <T>(method: string, params: readonly unknown[] = []) =>
      resultOf(method, (await post({ jsonrpc: '2.0', id: 0, method, params })) as Answer) as T,
    batch: async <T>(calls: readonly RpcCall[]) => {
      if (calls.length === 0) return []
      const body = calls.map(({ method, params }, id) => ({ jsonrpc: '2.0', id, method, params }))
      const answers = new Map(((await post(body)) as Answer[]).map((answer) => [answer.id, answer]))
      return calls.map(({ method }, id) => resultOf(method, answers.get(id)) as T)
    },
  }
}
