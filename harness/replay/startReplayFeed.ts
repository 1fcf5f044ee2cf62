import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Hash } from 'viem'
import { HarnessError, type HarnessErrorCode } from '../errors.ts'
import type { ReplayOptions } from './createReplayChain.ts'

export type ReplayFeedOptions = ReplayOptions & {
  /** Recorded blocks, in this order; see `openRecording`. */
  readonly files: readonly string[]
  /**
   * Height of the head when the feed starts. Default 0. A consumer that resumes passes what it has, else the feed
   * would tell it that nothing of it exists.
   */
  readonly startAt?: number
  /**
   * Have the whole chain encoded in memory before the feed starts: then what is measured is the consumer. Default false.
   */
  readonly prepared?: boolean
  /** `host:port`. Default `127.0.0.1:0`. */
  readonly listen?: string
}

export type ReplayFeed = AsyncDisposable & {
  /** `host:port` of the gRPC server. */
  readonly address: string
  readonly pid: number
  readonly chainId: number
  readonly genesisHash: Hash
  /**
   * Resolves with the last canonical block once all of the chain was sent (the feed goes on serving). Rejects with
   * HarnessError when reading the recording failed, or the process ended before.
   */
  readonly finished: Promise<{ readonly number: bigint; readonly hash: Hash }>
  stop(): Promise<void>
  kill(): Promise<void>
}

/** What the child says on stdout, one JSON document a line. */
export type ReplayLine =
  | {
      readonly event: 'ready'
      readonly address: string
      readonly chainId: number
      readonly genesisHash: Hash
    }
  | { readonly event: 'end'; readonly head: { readonly number: string; readonly hash: Hash } }
  | { readonly event: 'failed'; readonly code: HarnessErrorCode; readonly message: string }

/**
 * Serves recorded blocks over gRPC from a process of its own. The chain grows as its consumers process it: connect
 * one, and it begins.
 *
 * @throws HarnessError `REPLAY_FILE`, `REPLAY_OPTIONS`, or `REPLAY_FEED_DIED` with the end of its stderr.
 */
export async function startReplayFeed(options: ReplayFeedOptions): Promise<ReplayFeed> {
  const main = fileURLToPath(new URL('./main.ts', import.meta.url))
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', main, '--options', JSON.stringify(options)],
    // Its stdin is the tie: it closes when this process ends, and the child with it.
    { stdio: ['pipe', 'pipe', 'pipe'] },
  )
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString()).slice(-4096)
  })
  // Writing to a child that has just ended is no failure of ours.
  child.stdin.on('error', () => {})
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => resolve())
    child.once('error', (error) => {
      stderr += error.message
      resolve()
    })
  })
  const ready = Promise.withResolvers<Extract<ReplayLine, { event: 'ready' }>>()
  const finished = Promise.withResolvers<{ number: bigint; hash: Hash }>()
  // A caller that waits for neither must not die of a feed that failed: it sees the connection close.
  finished.promise.catch(() => undefined)
  const fail = (error: HarnessError) => {
    ready.reject(error)
    finished.reject(error)
  }
  createInterface({ input: child.stdout }).on('line', (text) => {
    const line = JSON.parse(text) as ReplayLine
    if (line.event === 'ready') ready.resolve(line)
    else if (line.event === 'end')
      finished.resolve({ number: BigInt(line.head.number), hash: line.head.hash })
    else fail(new HarnessError(line.code, line.message))
  })
  void ended.then(() =>
    fail(new HarnessError('REPLAY_FEED_DIED', `expected the replay feed to run, it ended: ${stderr.trim()}`)),
  )
  const stop = async () => {
    const forced = setTimeout(() => child.kill('SIGKILL'), 5000)
    child.kill('SIGTERM')
    await ended
    clearTimeout(forced)
  }
  const kill = async () => {
    child.kill('SIGKILL')
    await ended
  }
  const { address, chainId, genesisHash } = await ready.promise
  return {
    address,
    pid: child.pid!,
    chainId,
    genesisHash,
    finished: finished.promise,
    stop,
    kill,
    [Symbol.asyncDispose]: stop,
  }
}
