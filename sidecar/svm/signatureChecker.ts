import { Worker } from 'node:worker_threads'
import type { Logger } from 'pino'
import type { SolanaTransaction } from './types.ts'

/** The signature checks of one block, under way. */
export type SignatureChecks = {
  /** What the worker found for the next transaction in order; undefined when it has not come to it. Never waits. */
  readonly resultOf: (transaction: SolanaTransaction) => 'good' | 'bad' | undefined
  /** The block is done: the worker leaves what is left. */
  readonly stop: () => void
}

/**
 * Shares signature checks with one worker thread. The worker begins with the block's last transaction, the executor
 * with the first, checking for itself; where they meet the rest is done. So nobody waits, a stuck or slow worker
 * costs nothing, and as both ask the same verifier the results are the same whoever was faster.
 */
export type SignatureChecker = {
  readonly start: (transactions: readonly SolanaTransaction[]) => SignatureChecks | undefined
  readonly close: () => void
}

/** What is sent for a block. Both arrays are shared memory. */
export type SignatureWork = {
  /** The wire transactions, one after the other. */
  readonly bytes: Uint8Array
  /** End of transaction `i` in `bytes`. */
  readonly ends: Uint32Array
  /** 1 where transaction `i` is version 0, 0 where legacy. */
  readonly versioned: Uint8Array
  /** `verdicts[i]` by transaction, one of `Verdict`. */
  readonly verdicts: Int32Array
  /** `position[0]`: the transaction the executor is at. The worker stops there. */
  readonly position: Int32Array
}

export const Verdict = { unknown: 0, good: 1, bad: 2 } as const

/** Waking the worker takes about 0.1 ms, two checks' worth: fewer transactions than this are not worth it. */
const WORTH_SHARING = 4
/** Starting it takes about 0.14 s of a core and 48 MB: a chain that has seen fewer transactions does without. */
const STARTS_AFTER = 500

/**
 * The worker starts once blocks that are worth it had `startsAfter` transactions: many chains never do. When it fails
 * the checks go on without it, and the log says so.
 */
export function createSignatureChecker(logger: Logger, startsAfter = STARTS_AFTER): SignatureChecker {
  let worker: Worker | undefined
  let seen = 0
  let isOver = false
  const startWorker = () => {
    const started = new Worker(new URL('./signatureWorker.ts', import.meta.url))
    started.unref()
    started.on('error', (error) => {
      logger.error({ error }, 'signature worker failed, signatures are checked one by one')
      isOver = true
      worker = undefined
    })
    return started
  }
  return {
    start(transactions) {
      if (isOver || transactions.length < WORTH_SHARING) return undefined
      seen += transactions.length
      if (seen < startsAfter) return undefined
      worker ??= startWorker()
      const work = pack(transactions)
      worker.postMessage(work)
      let next = 0
      return {
        resultOf(transaction) {
          // Transactions refused beforehand are passed over: the caller asks in order, but not for each.
          while (transactions[next] !== transaction) next++
          const index = next++
          Atomics.store(work.position, 0, index)
          const verdict = Atomics.load(work.verdicts, index)
          return verdict === Verdict.unknown ? undefined : verdict === Verdict.good ? 'good' : 'bad'
        },
        stop() {
          Atomics.store(work.position, 0, transactions.length)
        },
      }
    },
    close() {
      const closing = worker
      isOver = true
      worker = undefined
      closing?.terminate().catch((error) => logger.warn({ error }, 'signature worker did not end'))
    },
  }
}

function pack(transactions: readonly SolanaTransaction[]): SignatureWork {
  const count = transactions.length
  const total = transactions.reduce((sum, { bytes }) => sum + bytes.length, 0)
  const work = {
    bytes: new Uint8Array(new SharedArrayBuffer(total)),
    ends: new Uint32Array(new SharedArrayBuffer(count * 4)),
    versioned: new Uint8Array(new SharedArrayBuffer(count)),
    verdicts: new Int32Array(new SharedArrayBuffer(count * 4)),
    position: new Int32Array(new SharedArrayBuffer(4)),
  }
  let offset = 0
  for (const [index, { bytes, version }] of transactions.entries()) {
    work.bytes.set(bytes, offset)
    offset += bytes.length
    work.ends[index] = offset
    work.versioned[index] = version === 'legacy' ? 0 : 1
  }
  return work
}
