/** A program of a topology while it may run: a process or a container, with the same verbs. Disposing it ends it. */
export type Instance = AsyncDisposable & {
  readonly name: string
  readonly kind: 'process' | 'container'
  readonly state: () => 'running' | 'paused' | 'stopped'
  /** Starts it, at the same addresses as before, and resolves once it answers. */
  start(): Promise<void>
  /** Asks it to end (SIGTERM), kills it after a while; resolves once it is gone. */
  stop(): Promise<void>
  /** SIGKILL; resolves once it is gone. */
  kill(): Promise<void>
  /** It stands still (SIGSTOP): connections stay open, nobody answers. */
  pause(): Promise<void>
  resume(): Promise<void>
  /** All it wrote, over all its starts. */
  logs(): string
  /** Resolves with the exit code when it next ends without being told to. */
  readonly died: Promise<number | null>
}
