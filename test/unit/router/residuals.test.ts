import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Residuals, residualKinds, SHRINKAGE } from '../../../sidecar/router/residuals.ts'

const HALF_LIFE = 64
const kinds = residualKinds.map((_, kind) => kind)
const open = () => new Residuals(1, 8, HALF_LIFE)

/** The residual of thing (3, 4) as of `block`, and what is uncertain of it. */
function read(residuals: Residuals, kind: number, block: number) {
  const spread = new Float64Array(residualKinds.length)
  return { residual: residuals.read(kind, 3, 4, block, spread), spread: spread[kind]! }
}

test('of what nothing is known the residual is 0, and as uncertain as can be', () => {
  for (const kind of kinds) expect(read(open(), kind, 9)).toEqual({ residual: 0, spread: 1 / SHRINKAGE })
})

test('one outcome is one Newton step from 0, shrunk', () => {
  const residuals = open()
  residuals.learn(0, 3, 4, 9, 0, 0.75)
  const { residual, spread } = read(residuals, 0, 9)
  expect(residual).toBeCloseTo(-0.75 / (0.75 * 0.25 + SHRINKAGE), 6)
  expect(spread).toBeCloseTo(1 / (0.75 * 0.25 + SHRINKAGE), 6)
})

test('outcomes above what was expected raise it, those below lower it, whatever came before', () => {
  const outcome = fc.record({
    succeeded: fc.boolean(),
    expected: fc.double({ min: 0.02, max: 0.98, noNaN: true }),
    blocks: fc.integer({ min: 0, max: 300 }),
  })
  fc.assert(
    fc.property(
      fc.constantFrom(...kinds),
      fc.array(outcome, { maxLength: 20 }),
      fc.double({ min: 0.02, max: 0.98, noNaN: true }),
      (kind, before, expected) => {
        let block = 1
        // The same past, then either end.
        const [failed, succeeded] = [0, 1].map((last) => {
          const residuals = open()
          block = 1
          for (const each of before) {
            block += each.blocks
            residuals.learn(kind, 3, 4, block, Number(each.succeeded), each.expected)
          }
          residuals.learn(kind, 3, 4, block, last, expected)
          return read(residuals, kind, block)
        })
        expect(succeeded!.residual).toBeGreaterThan(failed!.residual)
        expect(succeeded!.spread).toBe(failed!.spread)
        expect(succeeded!.spread).toBeLessThan(1 / SHRINKAGE)
      },
    ),
  )
})

test('is forgotten with time', () => {
  for (const kind of kinds) {
    const residuals = open()
    for (let i = 0; i < 20; i++) residuals.learn(kind, 3, 4, 1, 0, 0.9)
    const [now, soon, late] = [1, 17, 20_000].map((block) => read(residuals, kind, block))
    expect(now!.residual).toBeLessThan(-1)
    expect(soon!.residual).toBeGreaterThan(now!.residual)
    expect(soon!.spread).toBeGreaterThan(now!.spread)
    expect(late!.residual).toBeCloseTo(0, 12)
    expect(late!.spread).toBeCloseTo(1 / SHRINKAGE, 12)
  }
})

test('successes make up for failures, of a program sooner than of a payer with it', () => {
  const recoveredAfter = (kind: number) => {
    const residuals = open()
    for (let i = 0; i < 20; i++) residuals.learn(kind, 3, 4, 1, 0, 0.8)
    let outcomes = 0
    while (read(residuals, kind, 1).residual < 0) {
      residuals.learn(kind, 3, 4, 1, 1, 0.8)
      outcomes++
    }
    return outcomes
  }
  const [pair, program] = [recoveredAfter(0), recoveredAfter(1)]
  expect(program).toBeGreaterThan(1)
  expect(pair).toBeGreaterThan(program)
})
