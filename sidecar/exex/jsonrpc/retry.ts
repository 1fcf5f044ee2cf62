import type { ExExError } from '../errors.ts'
import { ChainMovedError, NodeUnreachableError, SourceClosedError } from './errors.ts'
import { pause } from './wake.ts'

/**
 * Runs until it succeeds. What may pass (no answer, a chain that moved) is tried again after `delayMs(failures)`, until
 * `timeoutMs` are over: then it is thrown as it came, as is anything else at once. `SourceClosedError` when the signal ends first.
 */
export async function retry<T>(
  run: () => Promise<T>,
  limits: {
    readonly timeoutMs: number
    readonly delayMs: (failures: number) => number
    /** Told of the first failure only. */
    readonly onFailure: (error: ExExError) => void
    readonly signal: AbortSignal
  },
): Promise<T> {
  const deadlineMs = performance.now() + limits.timeoutMs
  for (let failures = 1; ; failures++) {
    if (limits.signal.aborted) throw new SourceClosedError()
    try {
      return await run()
    } catch (error) {
      const mayPass = error instanceof NodeUnreachableError || error instanceof ChainMovedError
      const leftMs = deadlineMs - performance.now()
      if (!mayPass || leftMs <= 0) throw error
      if (failures === 1) limits.onFailure(error)
      await pause(Math.min(limits.delayMs(failures), leftMs), limits.signal)
    }
  }
}
