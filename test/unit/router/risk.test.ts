import fc from 'fast-check'
import { expect, test } from 'vitest'
import { riskParts } from '../../../sidecar/router/judgements.ts'
import { riskOf } from '../../../sidecar/router/risk.ts'

const facts = (oddity: number, novelty: number, residual: number) => ({
  oddity,
  novelty,
  inputs: Float64Array.of(1, 0, residual / 2, residual / 2, 0),
})
const of = (oddity: number, novelty: number, residual: number) =>
  riskOf(facts(oddity, novelty, residual), new Float64Array(riskParts.length))

test('is none for what is known, usual and works, and each part alone raises it', () => {
  expect(of(0, 0, 0)).toBe(0)
  expect(of(0, 0, 3)).toBe(0)
  expect([of(99, 0, 0), of(0, 1, 0), of(0, 0, -99)]).toEqual([60, 25, 70])
})

test('its parts say where it comes from', () => {
  const parts = new Float64Array(riskParts.length)
  riskOf(facts(8, 0.25, -2), parts)
  expect([...parts]).toEqual([0.5, 0.25, 0.5])
})

test('is a whole number from 0 to 100, and never falls where a part grows', () => {
  const amount = fc.double({ min: -50, max: 50, noNaN: true })
  fc.assert(
    fc.property(
      amount,
      fc.double({ min: 0, max: 1, noNaN: true }),
      amount,
      amount,
      (odd, novelty, residual, more) => {
        const risk = of(odd, novelty, residual)
        expect(Number.isInteger(risk) && risk >= 0 && risk <= 100).toBe(true)
        expect(of(odd + Math.abs(more), novelty, residual)).toBeGreaterThanOrEqual(risk)
        expect(of(odd, novelty, residual - Math.abs(more))).toBeGreaterThanOrEqual(risk)
        expect(of(odd, Math.min(1, novelty + Math.abs(more)), residual)).toBeGreaterThanOrEqual(risk)
      },
    ),
  )
})
