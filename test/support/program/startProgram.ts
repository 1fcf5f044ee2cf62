import { type ChildProcess, spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** How a run of the program ended, and all it wrote. */
export type Ended = {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export type Answer = { readonly status: number; readonly body: unknown }

/** The program while it runs. Disposing it ends it and everything it started, whatever state it is in. */
export type Program = AsyncDisposable & {
  readonly pid: number
  /** Where it said that it listens: `http://host:port`, or `grpc://host:port` of `shim`. */
  readonly address: string
  readonly stdout: () => string
  readonly stderr: () => string
  readonly ended: Promise<Ended>
  /** Sends a signal and resolves once the process is gone. */
  stop(signal?: NodeJS.Signals): Promise<Ended>
  send(signal: NodeJS.Signals): void
  /** One GET at its HTTP address. */
  get(path: string): Promise<Answer>
  /** Asks `path` until the answer satisfies the condition; fails with the last answer and its log. */
  until(path: string, condition: (answer: Answer) => boolean, timeoutMs?: number): Promise<Answer>
}

const root = fileURLToPath(new URL('../../..', import.meta.url))
const httpAddress = /status, metrics, context: (http:\/\/\S+)/
const gRpcAddress = /"listening":"([^"]+)"|exex\.v1 at (\S+)/
const startTimeoutMs = 60_000
const pollMs = 25

/** The binary that `npm run` uses: a test runner may itself be run by another one. */
function nodeBinary(): string {
  return join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), '..', '.bin', 'node')
}

function launch(args: readonly string[], env: Readonly<Record<string, string>>) {
  // What the machine happens to have set must not configure the program under test.
  const inherited = Object.entries(process.env).filter(([name]) => !/^(MONMOUTH_|LOG_LEVEL$)/.test(name))
  const child = spawn(
    nodeBinary(),
    ['--disable-warning=ExperimentalWarning', join(root, 'sidecar/main.ts'), ...args],
    // A group of its own, so that whatever it started can be ended with it.
    {
      cwd: root,
      env: { ...Object.fromEntries(inherited), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    },
  )
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString()
  })
  const killGroup = () => killQuietly(child)
  process.once('exit', killGroup)
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => {
      process.off('exit', killGroup)
      resolve({ code, signal, stdout, stderr })
    })
  })
  return { child, ended, stdout: () => stdout, stderr: () => stderr }
}

/** Ends the process and what it started; either may be gone already. */
function killQuietly(child: ChildProcess): void {
  try {
    process.kill(-child.pid!, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** Runs a command of the program to its end. */
export async function runProgram(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const { child, ended } = launch(args, env)
  try {
    return await ended
  } finally {
    killQuietly(child)
  }
}

/** Starts a command that goes on, as a user would; resolves once it says where it listens. */
export async function startProgram(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Program> {
  const { child, ended, stdout, stderr } = launch(args, env)
  const stop = async (signal: NodeJS.Signals = 'SIGTERM') => {
    child.kill(signal)
    return ended
  }
  const dispose = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      const forced = setTimeout(() => killQuietly(child), 8_000)
      child.kill('SIGTERM')
      await ended
      clearTimeout(forced)
    }
    killQuietly(child)
  }
  let address: string
  try {
    address = await announced()
  } catch (error) {
    killQuietly(child)
    throw error
  }
  const get = async (path: string): Promise<Answer> => {
    const response = await fetch(`${address}${path}`, { signal: AbortSignal.timeout(30_000) })
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.includes('json') === true
    return { status: response.status, body: isJson ? JSON.parse(text) : text }
  }
  return {
    pid: child.pid!,
    address,
    stdout,
    stderr,
    ended,
    stop,
    send: (signal) => child.kill(signal),
    get,
    async until(path, condition, timeoutMs = 45_000) {
      const deadline = Date.now() + timeoutMs
      for (;;) {
        const answer = await get(path)
        if (condition(answer)) return answer
        if (Date.now() > deadline) {
          throw new Error(
            `${path} never came to what was waited for: ${JSON.stringify(answer)}\n${stderr().slice(-3000)}`,
          )
        }
        await pause(pollMs)
      }
    },
    [Symbol.asyncDispose]: dispose,
  }

  async function announced(): Promise<string> {
    const isShim = args[0] === 'shim'
    const pattern = isShim ? gRpcAddress : httpAddress
    const text = isShim ? stdout : stderr
    const deadline = Date.now() + startTimeoutMs
    let result: Ended | undefined
    void ended.then((value) => {
      result = value
    })
    for (;;) {
      const match = pattern.exec(text())
      if (match) return match[1] ?? match[2]!
      if (result) throw new Error(`${args.join(' ')} ended with ${result.code}: ${result.stderr}`)
      if (Date.now() > deadline) throw new Error(`${args.join(' ')} said no address: ${stderr()}`)
      await pause(pollMs)
    }
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
