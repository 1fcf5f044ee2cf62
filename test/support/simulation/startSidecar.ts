import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'

/** The real program as a child process. */
export type SidecarProcess = {
  /** Resolves when it is gone. */
  readonly ended: Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>
  readonly isRunning: () => boolean
  /** The end of what it wrote there. */
  readonly stderr: () => string
  send(signal: NodeJS.Signals): void
}

const project = resolve(import.meta.dirname, '../../..')

/** Starts `attach` at a feed and returns at once: it may be killed before it has said a word. */
export function startSidecar(options: {
  readonly url: string
  readonly dataDir: string
  readonly set: readonly string[]
}): SidecarProcess {
  // The binary that `npm run` uses, whatever runs the tests.
  const node = join(
    dirname(createRequire(import.meta.url).resolve('vitest/package.json')),
    '..',
    '.bin',
    'node',
  )
  // What the machine happens to have set must not configure the program under test.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('MONMOUTH_')),
  )
  const child = spawn(
    node,
    [
      ...['--disable-warning=ExperimentalWarning', join(project, 'sidecar/main.ts'), 'attach', options.url],
      ...[
        '--profile',
        'test',
        '--data-dir',
        options.dataDir,
        '--http',
        '127.0.0.1:0',
        '--log-level',
        'warn',
        '--json',
      ],
      ...options.set.flatMap((assignment) => ['--set', assignment]),
    ],
    { cwd: project, env, stdio: ['ignore', 'pipe', 'pipe'] },
  )
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString()).slice(-8192)
  })
  let isRunning = true
  const onExit = () => child.kill('SIGKILL')
  process.once('exit', onExit)
  const ended = new Promise<{ code: number | null; stdout: string; stderr: string }>((done, fail) => {
    child.once('error', fail)
    child.once('close', (code) => {
      isRunning = false
      process.off('exit', onExit)
      done({ code, stdout, stderr })
    })
  })
  return {
    ended,
    isRunning: () => isRunning,
    stderr: () => stderr,
    send: (signal) => void child.kill(signal),
  }
}
