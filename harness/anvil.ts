import type { ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { HarnessError } from './errors.ts'
import { spawnTied } from './spawnTied.ts'

export type AnvilOptions = {
  /** Default 31337. */
  readonly chainId?: number
  /** Unix seconds of the genesis block. Default 1 700 000 000: fixed, so that two starts agree on the genesis hash. */
  readonly genesisTimestamp?: number
  /** `finalized` is the head minus twice this. Default 32. */
  readonly slotsInAnEpoch?: number
  /** Funded accounts derived from `mnemonic`. Default 10. */
  readonly accounts?: number
  /** Default: the development phrase that anvil, hardhat and others use. */
  readonly mnemonic?: string
  /** Ether of each account at genesis. Default 1 000 000. */
  readonly balanceEther?: number
  /** Block gas limit. Default 30 000 000. */
  readonly gasLimit?: bigint
  /** 0: any free port, chosen by the system (the default). */
  readonly port?: number
  /** How long the first answer may take. Default 20 000. */
  readonly timeoutMs?: number
  /** Aborting it kills the node. */
  readonly signal?: AbortSignal
}

export type Anvil = AsyncDisposable & {
  readonly rpcUrl: string
  readonly wsUrl: string
  readonly pid: number
  readonly chainId: number
  readonly mnemonic: string
  readonly accounts: number
  /** Resolves when the process has ended, for whatever reason, with the last of its stderr. */
  readonly ended: Promise<{ readonly code: number | null; readonly stderr: string }>
  /** SIGTERM, then SIGKILL after two seconds; resolves once the process is gone. */
  stop(): Promise<void>
  /** SIGKILL, as a crash; resolves once the process is gone. */
  kill(): Promise<void>
}

export const developmentMnemonic = 'test test test test test test test test test test test junk'
export const defaultGenesisTimestamp = 1_700_000_000

/**
 * Starts anvil on a free local port, mining only when told to, transactions in a block ordered by their fee. Resolves
 * when it has answered a request.
 *
 * @throws HarnessError `ANVIL_MISSING`: no binary for this platform is installed; `ANVIL_DIED`: it ended before it
 *   answered, its stderr in the message; `ANVIL_NOT_READY`: no answer within `timeoutMs`.
 */
export async function startAnvil(options: AnvilOptions = {}): Promise<Anvil> {
  const { chainId = 31337, accounts = 10, mnemonic = developmentMnemonic, timeoutMs = 20_000 } = options
  options.signal?.throwIfAborted()
  const child = spawnTied(anvilBinary(), [
    ...['--host', '127.0.0.1', '--port', String(options.port ?? 0)],
    ...[
      '--chain-id',
      String(chainId),
      '--timestamp',
      String(options.genesisTimestamp ?? defaultGenesisTimestamp),
    ],
    ...['--slots-in-an-epoch', String(options.slotsInAnEpoch ?? 32)],
    ...['--accounts', String(accounts), '--mnemonic', mnemonic],
    ...['--balance', String(options.balanceEther ?? 1_000_000)],
    ...['--gas-limit', String(options.gasLimit ?? 30_000_000n), '--block-base-fee-per-gas', '1000000000'],
    ...['--no-mining', '--order', 'fees'],
  ])
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString()).slice(-4096)
  })
  const ended = new Promise<{ code: number | null; stderr: string }>((resolve) => {
    child.once('error', (error) => resolve({ code: null, stderr: `${stderr}${error.message}` }))
    child.once('exit', (code) => resolve({ code, stderr: stderr.trim() }))
  })
  const kill = async () => {
    child.kill('SIGKILL')
    await ended
  }
  const stop = async () => {
    const forced = setTimeout(() => child.kill('SIGKILL'), 2000)
    child.kill('SIGTERM')
    await ended
    clearTimeout(forced)
  }
  // A parent that exits takes its node along at once; one that is killed, through the tie.
  const onExit = () => child.kill('SIGKILL')
  process.once('exit', onExit)
  options.signal?.addEventListener('abort', onExit, { once: true })
  void ended.then(() => {
    process.off('exit', onExit)
    options.signal?.removeEventListener('abort', onExit)
  })

  try {
    const port = await announcedPort(child, ended, timeoutMs)
    const rpcUrl = `http://127.0.0.1:${port}`
    await answers(rpcUrl, chainId, timeoutMs)
    return {
      rpcUrl,
      wsUrl: `ws://127.0.0.1:${port}`,
      pid: child.pid!,
      chainId,
      mnemonic,
      accounts,
      ended,
      stop,
      kill,
      [Symbol.asyncDispose]: stop,
    }
  } catch (error) {
    await kill()
    throw error
  }
}

/**
 * The native binary, in the platform's own package: `.bin/anvil` is a wrapper whose death leaves the node running.
 * The platform package is a dependency of `@foundry-rs/anvil`, so it is looked up from there.
 */
export function anvilBinary(): string {
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch
  const name = `@foundry-rs/anvil-${process.platform}-${architecture}`
  try {
    const wrapper = createRequire(import.meta.url).resolve('@foundry-rs/anvil/package.json')
    const folder = dirname(createRequire(wrapper).resolve(`${name}/package.json`))
    const binary = join(folder, 'bin', process.platform === 'win32' ? 'anvil.exe' : 'anvil')
    if (existsSync(binary)) return binary
    throw new HarnessError(
      'ANVIL_MISSING',
      `expected the anvil binary at ${binary}, found none: run npm ci again`,
    )
  } catch (error) {
    if (error instanceof HarnessError) throw error
    throw new HarnessError('ANVIL_MISSING', `expected the package ${name}, it is not installed: run npm ci`, {
      cause: error,
    })
  }
}

/** With port 0 the system chooses, so no other process can take it in between; anvil prints what it got. */
function announcedPort(child: ChildProcess, ended: Anvil['ended'], timeoutMs: number): Promise<number> {
  return new Promise((resolve, reject) => {
    let output = ''
    const timer = setTimeout(
      () =>
        reject(
          new HarnessError('ANVIL_NOT_READY', `expected anvil to listen within ${timeoutMs} ms: ${output}`),
        ),
      timeoutMs,
    )
    child.stdout!.on('data', (chunk: Buffer) => {
      // Kept flowing for its whole life: a full pipe would stop the node.
      if (output.length > 65_536) return
      output += chunk.toString()
      const found = /Listening on [^\s]*:(\d+)/.exec(output)
      if (found === null) return
      clearTimeout(timer)
      output = ' '.repeat(65_537)
      resolve(Number(found[1]))
    })
    void ended.then(({ code, stderr }) => {
      clearTimeout(timer)
      reject(new HarnessError('ANVIL_DIED', `expected anvil to start, it ended with code ${code}: ${stderr}`))
    })
  })
}

async function answers(rpcUrl: string, chainId: number, timeoutMs: number): Promise<void> {
  const response = await fetch(rpcUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_chainId', params: [] }),
    signal: AbortSignal.timeout(timeoutMs),
  }).catch((error: unknown) => {
    throw new HarnessError('ANVIL_NOT_READY', `expected an answer from ${rpcUrl}`, { cause: error })
  })
  const answer = (await response.json().catch((error: unknown) => {
    throw new HarnessError('ANVIL_NOT_READY', `expected JSON from ${rpcUrl}`, { cause: error })
  })) as { result?: string }
  if (Number(answer.result) !== chainId) {
    throw new HarnessError(
      'ANVIL_NOT_READY',
      `expected chain ${chainId} at ${rpcUrl}, got ${JSON.stringify(answer)}`,
    )
  }
}
