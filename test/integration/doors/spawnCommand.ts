import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { cleanEnvironment } from '../../../harness/sidecar/startSidecar.ts'

export const project = resolve(import.meta.dirname, '../../..')

/** The binary that `npm run` uses, whatever runs the tests. */
export const node = join(
  dirname(createRequire(import.meta.url).resolve('vitest/package.json')),
  '..',
  '.bin',
  'node',
)

/** What runs a command of the program, for who starts it in its own way. */
export const commandLine = (...args: readonly string[]) => [
  '--disable-warning=ExperimentalWarning',
  join(project, 'sidecar/main.ts'),
  ...args,
]

export type SpawnedCommand = AsyncDisposable & {
  readonly child: ChildProcessWithoutNullStreams
  readonly stdout: () => string
  readonly stderr: () => string
  /** Resolves with the exit code. */
  readonly ended: Promise<number | null>
}

/** A command with its standard input at hand, to be spoken to while it runs. */
export function spawnCommand(...args: readonly string[]): SpawnedCommand {
  const child = spawn(node, commandLine(...args), { cwd: project, env: cleanEnvironment() })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk
  })
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk
  })
  const ended = new Promise<number | null>((done) => child.once('close', done))
  return {
    child,
    stdout: () => stdout,
    stderr: () => stderr,
    ended,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await ended
    },
  }
}
