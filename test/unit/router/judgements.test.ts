import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  JUDGEMENT,
  judgedIn,
  judgedInputs,
  judgementBytes,
  readJudgements,
  riskParts,
  WEIGHTS_HASH,
  writeJudgement,
} from '../../../sidecar/router/judgements.ts'

const share = fc.double({ min: 0, max: 1, noNaN: true })
const units = fc.integer({ min: 0, max: 1_400_000 })
const judgement = fc.record({
  success: share,
  lower: share,
  upper: share,
  needed: share,
  meanUnits: units,
  upperUnits: units,
  risk: fc.integer({ min: 0, max: 100 }),
  risks: fc.tuple(...riskParts.map(() => share)),
  inputs: fc.tuple(...judgedInputs.map(() => fc.double({ min: -20, max: 20, noNaN: true }))),
})

test('are read as they were written, as exactly as their bytes allow', () => {
  fc.assert(
    fc.property(fc.array(judgement, { minLength: 1, maxLength: 5 }), (given) => {
      const section = new Uint8Array(judgementBytes(given.length)).fill(0)
      section.set([0xab, 0xcd], 0)
      const view = new DataView(section.buffer)
      given.forEach((each, i) => {
        const [risks, inputs] = [Float64Array.from(each.risks), Float64Array.from(each.inputs)]
        writeJudgement(view, WEIGHTS_HASH + i * JUDGEMENT, { ...each, row: 7 * i, risks, inputs })
      })
      expect(judgedIn(section)).toBe(given.length)
      const read = readJudgements(Buffer.from(section.buffer), 0, given.length)
      expect([...read.keys()]).toEqual(given.map((_, i) => 7 * i))
      given.forEach((each, i) => {
        const { success, lower, upper, needed, computeUnits, risk, because, weights, ...rest } = read.get(
          7 * i,
        )!
        expect([success, lower, upper, needed]).toEqual(
          [each.success, each.lower, each.upper, each.needed].map(Math.fround),
        )
        expect(risk).toBe(each.risk)
        expect(weights).toBe('abcd000000000000')
        const nothingRan = each.meanUnits === 0 && each.upperUnits === 0
        expect(computeUnits).toEqual(
          nothingRan ? undefined : { mean: each.meanUnits, upper: each.upperUnits },
        )
        riskParts.forEach((name, k) => {
          expect(Math.abs(rest.riskParts[name] - each.risks[k]!), name).toBeLessThanOrEqual(0.5 / 255 + 1e-12)
        })
        judgedInputs.forEach((name, k) => {
          const kept = Math.max(-8, Math.min(127 / 16, each.inputs[k]!))
          expect(Math.abs(because[name] - kept), name).toBeLessThanOrEqual(0.5 / 16)
        })
      })
    }),
  )
})

test('take no bytes where nothing was judged', () => {
  expect(judgementBytes(0)).toBe(0)
  expect(judgedIn(new Uint8Array(0))).toBe(0)
})
