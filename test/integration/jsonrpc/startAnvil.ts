import { type ChildProcess, spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'

export type AnvilOptions = {
  /** Default 0: any free one. */
  readonly port?: number
  /** Of the genesis block, Unix seconds: the same makes the same genesis hash. */
  readonly timestamp?: number
  readonly chainId?: number
  readonly extra?: readonly string[]
}

export type StartedAnvil = AsyncDisposable & {
  readonly port: number
  readonly http: string
  readonly ws: string
  // biome-ignore lint/suspicious/noExplicitAny: plain JSON-RPC, whatever the method answers.
  request(method: string, params?: readonly unknown[]): Promise<any>
  mine(blocks: number): Promise<void>
  /** SIGKILL, and waits until the process is gone. */
  kill(): Promise<void>
}

/** The binary itself, not the package's wrapper script: killing that would leave the node running. */
function anvilBinary(): string {
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch
  const platform = process.platform === 'win32' ? 'win32' : process.platform
  const suffix = process.platform === 'win32' ? '.exe' : ''
  const name = `@foundry-rs/anvil-${platform}-${architecture}/bin/anvil${suffix}`
  const anvil = createRequire(import.meta.url).resolve('@foundry-rs/anvil/package.json')
  return createRequire(anvil).resolve(name)
}

/** A real node that mines only when told. Resolves once it listens. */
export async function startAnvil(options: AnvilOptions = {}): Promise<StartedAnvil> {
  const { port = 0, timestamp = 1_700_000_000, chainId = 31_337, extra = [] } = options
  const args = ['--port', port, '--timestamp', timestamp, '--chain-id', chainId, '--no-mining', ...extra]
  const child = spawn(anvilBinary(), args.map(String), { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const listening = await portOf(child)
  const http = `http://127.0.0.1:${listening}`

  const request: StartedAnvil['request'] = async (method, params = []) => {
    const answer = await fetch(http, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    })
    const { result, error } = (await answer.json()) as { result?: unknown; error?: { message: string } }
    if (error !== undefined) throw new Error(`${method}: ${error.message}`)
    return result
  }
  const kill = async () => {
    child.kill('SIGKILL')
    await exited
  }
  return {
    port: listening,
    http,
    ws: `ws://127.0.0.1:${listening}`,
    request,
    mine: async (blocks) => {
      await request('anvil_mine', [`0x${blocks.toString(16)}`])
    },
    kill,
    [Symbol.asyncDispose]: kill,
  }
}

async function portOf(child: ChildProcess): Promise<number> {
  const lines = createInterface({ input: child.stdout! })
  for await (const line of lines) {
    const port = /^Listening on .*:(\d+)$/.exec(line)?.[1]
    if (port === undefined) continue
    // Whoever stops reading a pipe stops the writer in the end.
    child.stdout!.resume()
    return Number(port)
  }
  throw new Error('anvil ended before it listened')
}
