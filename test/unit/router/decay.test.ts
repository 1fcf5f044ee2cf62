import { expect, test } from 'vitest'
import { createDecay } from '../../../sidecar/router/decay.ts'

test('halves a count every half-life', () => {
  for (const halfLife of [1, 2, 7, 512, 2048, 10_000_000]) {
    const decay = createDecay(halfLife)
    expect(decay(0)).toBe(1)
    expect(decay(halfLife), `half-life ${halfLife}`).toBeCloseTo(0.5, 9)
    expect(decay(10 * halfLife), `ten half-lives of ${halfLife}`).toBeCloseTo(2 ** -10, 9)
  }
})

test('is the same number from its table and beyond, and ends at nothing', () => {
  const decay = createDecay(100)
  expect(decay(1023) * decay(1)).toBeCloseTo(decay(1024), 15)
  expect(decay(2 ** 40)).toBe(0)
})
