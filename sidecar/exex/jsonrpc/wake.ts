/** A loop's alarm clock: a call of `ring` is never lost, even while the loop is busy. */
export type Wake = {
  ring(): void
  /** Resolves at the next ring (at once when one came since the last wait), after `timeoutMs`, or at the end of the signal. */
  wait(timeoutMs: number): Promise<void>
}

export function createWake(signal: AbortSignal): Wake {
  let rung = false
  let resume: (() => void) | undefined
  return {
    ring: () => {
      rung = true
      resume?.()
    },
    wait: async (timeoutMs) => {
      if (!rung) await untilResumed(timeoutMs, signal, (wakeUp) => (resume = wakeUp))
      resume = undefined
      rung = false
    },
  }
}

/** Resolves after `ms`, or at the end of the signal. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return untilResumed(ms, signal, () => {})
}

function untilResumed(ms: number, signal: AbortSignal, offer: (resume: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done)
    offer(done)
    if (signal.aborted) done()
  })
}
