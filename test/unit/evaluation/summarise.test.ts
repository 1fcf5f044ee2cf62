import pino from 'pino'
import { describe, expect, test } from 'vitest'
import { drawCoverage } from '../../../sidecar/evaluation/drawCoverage.ts'
import { drawReliability } from '../../../sidecar/evaluation/drawReliability.ts'
import { formatReport } from '../../../sidecar/evaluation/formatReport.ts'
import { createRandom } from '../../../sidecar/evaluation/random.ts'
import type { EvaluationReport, InputReport } from '../../../sidecar/evaluation/report.ts'
import { createScored } from '../../../sidecar/evaluation/scored.ts'
import { summarise } from '../../../sidecar/evaluation/summarise.ts'
import { openVariant, variantsOf } from '../../../sidecar/evaluation/variant.ts'
import { routerOptions } from './support/routerOptions.ts'

/**
 * Sixty blocks of twenty transactions of a known probability. `ours` says it, `sharp` exaggerates it, `blind` knows the mean
 * alone, `twin` says what ours says, and `near` misses it at random by so little that nobody could tell.
 */
function reportOf(seed = '1'): InputReport {
  const random = createRandom('summarise', 'rows')
  const scored = createScored()
  for (let row = 0; row < 1200; row++) {
    const p = random.pick([0.1, 0.5, 0.8, 0.95])
    const succeeded = random.chance(p)
    const isFirstSeen = row % 10 === 0
    scored.add({
      ...{ block: Math.floor(row / 20), succeeded, units: 5_000, isFirstSeen },
      group: p < 0.3 ? 'bad' : 'good',
    })
    scored.predict('ours', p)
    scored.predict('twin', p)
    scored.predict('near', p + (random.unit() - 0.5) * 0.002)
    scored.predict('blind', 0.59)
    scored.predict('sharp', p > 0.5 ? 0.999 : 0.001)
    scored.predict('clairvoyant', succeeded ? 1 : 0)
    scored.choose('ours', p > 0.6)
    scored.choose('always', true)
    scored.choose('never', false)
    scored.choose('oracle', succeeded)
    scored.head('risk', 1 - p)
    scored.head('computeUnits', row % 7)
    scored.head('cost', row === 700 ? Number.NaN : row % 3)
    scored.head('units of the pattern', row % 5)
  }
  const signal = new AbortController().signal
  const variants = variantsOf(routerOptions).map((spec) =>
    openVariant(spec, { logger: pino({ level: 'silent' }), signal }),
  )
  const counts = { blocks: 60, transactions: 1200, unknown: 0, admitted: 0 }
  return summarise(
    { kind: 'generated', name: 'a test' },
    { scored: scored.done(), variants, counts },
    { seed, draws: 400 },
  )
}

const report = reportOf()
const [all, firstSeen] = report.slices
const against = (name: string) => all!.predictors.find((each) => each.name === name)!.oursAgainstIt!
const policy = (name: string) => all!.policies.find((each) => each.name === name)!

describe('verdicts', () => {
  test('ours wins against who knows less or says more than it knows', () => {
    for (const name of ['blind', 'sharp']) {
      const { logLoss, brier } = against(name)
      expect([logLoss.verdict, brier.verdict], name).toEqual(['wins', 'wins'])
      expect(logLoss.difference.low, name).toBeGreaterThan(0)
    }
    expect(against('blind').averagePrecision!.verdict).toBe('wins')
  })

  test('it loses to who knows the outcome', () => {
    const { logLoss, brier, averagePrecision } = against('clairvoyant')
    expect([logLoss.verdict, brier.verdict, averagePrecision!.verdict]).toEqual(['loses', 'loses', 'loses'])
    expect(brier.difference.high).toBeLessThan(0)
  })

  test('it ties where the difference is noise, and is the same where there is none', () => {
    expect(against('near').logLoss.verdict).toBe('ties')
    expect(against('twin')).toMatchObject({ logLoss: { verdict: 'same' }, brier: { verdict: 'same' } })
    expect(against('twin').logLoss.difference).toEqual({ value: 0, low: 0, high: 0 })
  })

  test('the difference is that of the figures, and inside its interval', () => {
    for (const { name, logLoss, oursAgainstIt } of all!.predictors) {
      if (oursAgainstIt === null) continue
      const { difference } = oursAgainstIt.logLoss
      const ours = all!.predictors[0]!.logLoss.value
      expect(difference.value, name).toBeCloseTo(logLoss.value - ours, 12)
      expect(difference.low).toBeLessThanOrEqual(difference.value)
      expect(difference.high).toBeGreaterThanOrEqual(difference.value)
    }
  })
})

describe('policies', () => {
  test('the oracle has no regret, and utility and regret add up to its utility everywhere', () => {
    expect(policy('oracle').regret.value).toBe(0)
    for (const { name, utility, regret } of all!.policies) {
      expect(utility.value + regret.value, name).toBeCloseTo(policy('oracle').utility.value, 12)
    }
  })

  test('who runs nothing has nothing, and no risk to speak of', () => {
    expect(policy('never')).toMatchObject({ coverage: 0, risk: null, utility: { value: 0, low: 0, high: 0 } })
    expect(policy('always').coverage).toBe(1)
    // A failure costs two successes here: caution pays.
    expect(policy('always').oursAgainstIt!.verdict).toBe('wins')
  })
})

test('slices and kinds of traffic hold the rows they name', () => {
  expect(firstSeen).toMatchObject({ name: 'first seen', rows: 120, blocks: 60 })
  expect(report.groups.map(({ name }) => name)).toEqual(['bad', 'good'])
  expect(report.groups.reduce((sum, { rows }) => sum + rows, 0)).toBe(1200)
  const rows = report.groups.reduce((sum, { rows, logLoss }) => sum + rows * logLoss.ours!, 0)
  expect(rows / 1200).toBeCloseTo(all!.predictors[0]!.logLoss.value, 12)
})

test('parts of the router are held against their simplest rivals', () => {
  const [risk, units] = all!.heads
  expect(
    all!.heads.map(({ name }) => name),
    'one that a row has none of is not judged',
  ).toEqual(['risk', 'computeUnits'])
  expect(risk).toMatchObject({ name: 'risk', value: risk!.rivalValue })
  // Every row used the same units: no order is right.
  expect(units).toMatchObject({ name: 'computeUnits', value: null, rivalValue: null })
})

test('the seed changes intervals alone', () => {
  const other = reportOf('2')
  expect(other).not.toEqual(report)
  expect(other.slices[0]!.predictors.map(({ logLoss }) => logLoss.value)).toEqual(
    all!.predictors.map(({ logLoss }) => logLoss.value),
  )
  expect(reportOf('1')).toEqual(report)
})

describe('what people see', () => {
  const whole: EvaluationReport = { version: 1, seed: '1', draws: 400, inputs: [report, report] }

  test('the table says in words where ours wins, ties and loses', () => {
    const text = formatReport(whole)
    expect(text).toContain(
      'by log loss ours wins against blind, sharp; ties with near; loses to clairvoyant; is the same as twin',
    )
    expect(text).toContain('by utility ours wins against always, never; loses to oracle')
    expect(text).not.toMatch(/NaN|undefined/)
    expect(text.endsWith('\n')).toBe(true)
  })

  test.each([
    ['reliability', drawReliability],
    ['coverage', drawCoverage],
  ])('the picture of %s is whole XML, and draws nothing outside of itself', (_, draw) => {
    const svg = draw(whole)
    const open: string[] = []
    for (const [, closing, name, selfClosed] of svg.matchAll(/<(\/?)([a-z]+)[^>]*?(\/?)>/g)) {
      if (closing) expect(open.pop()).toBe(name)
      else if (!selfClosed) open.push(name!)
    }
    expect(open).toEqual([])
    expect(svg).not.toMatch(/NaN|Infinity|undefined/)
    const [, width, height] = /viewBox="0 0 (\d+) (\d+)"/.exec(svg)!.map(Number)
    const points = [...svg.matchAll(/points="([^"]+)"/g)].flatMap(([, list]) => list!.split(' '))
    expect(points.length).toBeGreaterThanOrEqual(8)
    for (const point of points) {
      const [x, y] = point.split(',').map(Number)
      expect(x! >= 0 && x! <= width! && y! >= 0 && y! <= height!, point).toBe(true)
    }
  })
})
