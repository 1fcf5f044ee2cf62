import { describe, expect, test } from 'vitest'
import {
  type CircuitState,
  createCircuitBreaker,
  type Verdict,
} from '../../../../vector/embed/circuitBreaker.ts'

function breaker() {
  let time = 1_000
  const changes: CircuitState[] = []
  const made = createCircuitBreaker(
    { failures: 3, openMs: 100 },
    { now: () => time, onChange: (state) => changes.push(state) },
  )
  return {
    ...made,
    changes,
    pass: (ms: number) => {
      time += ms
    },
    /** An attempt that is let through. */
    attempt: (verdict: Verdict) => {
      expect(made.ask()).toBe(0)
      made.tell(verdict)
    },
  }
}

describe('the circuit breaker', () => {
  test('opens after so many failures in a row, and not before', () => {
    const { attempt, ask, state } = breaker()
    for (const verdict of ['ill', 'ill', 'well', 'ill', 'ill'] as const) attempt(verdict)
    expect(state()).toBe('closed')
    attempt('ill')
    expect(state()).toBe('open')
    expect(ask()).toBe(100)
  })

  test('what its caller gave up says nothing', () => {
    const { attempt, state } = breaker()
    for (const verdict of ['ill', 'ill', 'unknown', 'ill'] as const) attempt(verdict)
    expect(state()).toBe('open')
  })

  test('lets one attempt through once the time is over, and closes when that goes well', () => {
    const { attempt, ask, tell, pass, state, changes } = breaker()
    for (let count = 0; count < 3; count++) attempt('ill')
    pass(99)
    expect(ask()).toBe(1)
    pass(1)
    expect(ask()).toBe(0)
    expect(state()).toBe('halfOpen')
    expect(ask()).toBe(100)
    tell('well')
    expect(ask()).toBe(0)
    expect(changes).toEqual(['open', 'halfOpen', 'closed'])
  })

  test('opens again at once when that fails', () => {
    const { attempt, ask, pass, changes } = breaker()
    for (let count = 0; count < 3; count++) attempt('ill')
    pass(100)
    attempt('ill')
    expect(ask()).toBe(100)
    expect(changes).toEqual(['open', 'halfOpen', 'open'])
  })

  test('gives the next one a turn when that was given up', () => {
    const { attempt, pass, state } = breaker()
    for (let count = 0; count < 3; count++) attempt('ill')
    pass(100)
    attempt('unknown')
    attempt('well')
    expect(state()).toBe('closed')
  })
})
