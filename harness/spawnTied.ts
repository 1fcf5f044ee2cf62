import { type ChildProcessByStdio, spawn } from 'node:child_process'
import type { Duplex, Readable } from 'node:stream'

/** A process whose end is tied to ours. */
export type TiedProcess = ChildProcessByStdio<null, Readable, Readable>

/**
 * The shell leaves a watcher behind and becomes the program, which so has the process id, the exit code and the signals
 * of the child. The watcher starts first: there is no moment without it. It waits for the end of pipe 3, whose other end
 * only we hold. A line before that says that the program has ended, and that its id may be someone else's by now.
 * Signals to the whole group, as Ctrl-C sends them, are not for the watcher; and it holds none of the program's pipes,
 * else whoever reads those would wait for it too.
 */
const script = `{ trap '' HUP INT TERM; read -r line <&3 || kill -9 $$; } >/dev/null 2>&1 & exec "$@" 3<&-`

/**
 * Starts a program that reads no input and ends when this process does, however that comes: by SIGKILL too. It is for
 * programs that would not notice by themselves. Windows has no shell to tie it with; there it is just started.
 */
export function spawnTied(
  file: string,
  args: readonly string[],
  env: Readonly<NodeJS.ProcessEnv> = process.env,
): TiedProcess {
  if (process.platform === 'win32') return spawn(file, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const stdio = ['ignore', 'pipe', 'pipe', 'pipe'] as const
  const child = spawn('/bin/sh', ['-c', script, 'sh', file, ...args], { env, stdio: [...stdio] })
  // Not made when nothing could be started; the child tells that by its own event.
  const tie = child.stdio[3] as Duplex | undefined
  // A watcher that is gone already, as when its whole group was killed, needs no telling.
  tie?.on('error', () => {})
  child.once('exit', () => tie?.end('\n', () => tie.destroy()))
  return child as TiedProcess
}
