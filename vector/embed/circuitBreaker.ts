export type CircuitState = 'closed' | 'open' | 'halfOpen'

/** Whether an attempt showed that the other side is well, ill, or neither (given up by its caller). */
export type Verdict = 'well' | 'ill' | 'unknown'

/**
 * Stops asking an endpoint that fails again and again. Closed: everything passes. Open, after `failures` in a row: nothing
 * passes. Half open, `openMs` later: one attempt passes, and decides.
 */
export type CircuitBreaker = {
  /** Ms until an attempt may be made; 0 when it may be made now, and then `tell` must follow. */
  ask(): number
  tell(verdict: Verdict): void
  state(): CircuitState
}

/** @param now a clock in ms that never goes back */
export function createCircuitBreaker(
  { failures, openMs }: { readonly failures: number; readonly openMs: number },
  { now, onChange }: { readonly now: () => number; readonly onChange: (state: CircuitState) => void },
): CircuitBreaker {
  let state: CircuitState = 'closed'
  let inRow = 0
  let openedAt = 0
  let isTrying = false

  return {
    ask() {
      if (state === 'closed') return 0
      const left = openedAt + openMs - now()
      if (state === 'open' && left > 0) return left
      change('halfOpen')
      // Whoever comes while the one attempt is under way waits as long as for an open one.
      if (isTrying) return openMs
      isTrying = true
      return 0
    },
    tell(verdict) {
      isTrying = false
      if (verdict === 'unknown') return
      if (verdict === 'well') {
        inRow = 0
        // An attempt from before it opened says as much as the one that was let through.
        change('closed')
        return
      }
      inRow += 1
      if (state === 'closed' && inRow < failures) return
      openedAt = now()
      change('open')
    },
    state: () => state,
  }

  function change(next: CircuitState): void {
    if (next === state) return
    state = next
    onChange(next)
  }
}
