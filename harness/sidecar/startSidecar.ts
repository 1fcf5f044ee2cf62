import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Hash } from 'viem'
import { startProcess } from '../instance/startProcess.ts'
import type { Instance } from '../instance/types.ts'
import { quietPort } from '../quietPort.ts'
import { sidecarHand } from './sidecarHand.ts'

export type SidecarOptions = {
  readonly name?: string
  /** What it attaches to: `grpc://host:port` of a shim, `http://` of a node. */
  readonly url: string
  readonly dataDir: string
  /** Configuration by key: `exex.consumer_id=second`. */
  readonly settings?: readonly string[]
  /** Default: info. */
  readonly logLevel?: string
  /** Modules loaded before the program: `file:` URLs. */
  readonly imports?: readonly string[]
}

/** The parts of `/status` by which two sidecars are compared. */
export type SidecarStatus = {
  readonly blocks: number
  readonly transactions: number
  readonly routes: unknown
  readonly svm: { readonly latticeHash: string; readonly accounts: number } & Record<string, unknown>
  readonly decisionsHash: string
  readonly reorgs: number
  readonly blocksReverted: number
  readonly head: { readonly number: number; readonly hash: Hash } | null
  readonly durable: { readonly number: number; readonly hash: Hash } | null
  readonly finalized: { readonly number: number; readonly hash: Hash } | null
  readonly finishedHeight: { readonly number: number; readonly hash: Hash } | null
  readonly rssBytes: number
}

export type Sidecar = Instance & {
  readonly httpUrl: string
  readonly dataDir: string
  /** One GET. @throws HarnessError `INSTANCE_UNREACHABLE` when nobody answers, with the end of its log. */
  get(path: string): Promise<{ readonly status: number; readonly body: unknown }>
  status(): Promise<SidecarStatus>
  /**
   * Resolves once everything up to this block is durable.
   *
   * @throws HarnessError `INSTANCE_DIED`: it ended without being told to; `SIDECAR_BEHIND`: `timeoutMs` (default 60 000) passed
   */
  untilDurable(block: { readonly hash: Hash }, timeoutMs?: number): Promise<SidecarStatus>
}

const root = fileURLToPath(new URL('../..', import.meta.url))

/**
 * Starts this project's sidecar as a process. It keeps its HTTP address over restarts.
 *
 * @throws HarnessError `INSTANCE_DIED`, `INSTANCE_NOT_READY`
 */
export async function startSidecar(options: SidecarOptions): Promise<Sidecar> {
  const { name = 'sidecar', url, dataDir, settings = [], logLevel = 'info', imports = [] } = options
  const port = await quietPort()
  const httpUrl = `http://127.0.0.1:${port}`
  const instance = await startProcess({
    name,
    file: nodeBinary(),
    args: () => [
      ...imports.flatMap((url) => ['--import', url]),
      // As the package's scripts and the image start it: the young generation would grow to 128 MB otherwise.
      ...['--disable-warning=ExperimentalWarning', '--max-semi-space-size=16'],
      ...[join(root, 'sidecar/main.ts'), 'attach', url],
      ...['--data-dir', dataDir, '--http', `127.0.0.1:${port}`, '--log-level', logLevel],
      ...settings.flatMap((setting) => ['--set', setting]),
    ],
    env: cleanEnvironment(),
    isReady: async () => {
      try {
        return (await fetch(`${httpUrl}/status`, { signal: AbortSignal.timeout(2000) })).ok
      } catch {
        return false
      }
    },
  })
  return { ...instance, httpUrl, dataDir, ...sidecarHand(instance, httpUrl) }
}

/** The version of Node that this project pins, whatever runs the harness. */
export function nodeBinary(): string {
  const modules = dirname(dirname(createRequire(import.meta.url).resolve('rxjs/package.json')))
  return join(modules, '.bin', 'node')
}

/** This process's environment without what would configure the sidecar: that must come from its arguments alone. */
export function cleanEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([key]) => !/^(MONMOUTH_|LOG_LEVEL$)/.test(key)),
  )
}
