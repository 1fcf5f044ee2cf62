import type { Evaluated } from './evaluateBlocks.ts'
import { prepareAveragePrecision } from './metrics/averagePrecision.ts'
import { drawBlocks, type Interval, intervalOf, resampledMeans } from './metrics/blockBootstrap.ts'
import { brierParts, calibrationError, equalMassBins, squaredErrors } from './metrics/calibration.ts'
import { coverageCurve } from './metrics/coverage.ts'
import { logLosses } from './metrics/logLoss.ts'
import { rankCorrelation } from './metrics/rankCorrelation.ts'
import { aboutPolicy, aboutPredictor } from './names.ts'
import type {
  Comparison,
  GroupReport,
  HeadReport,
  InputReport,
  PolicyReport,
  PredictorReport,
  SliceReport,
} from './report.ts'
import { type Scored, sliceOf } from './scored.ts'
import type { EvaluationInput } from './types.ts'
import { unitsPerSuccess, utilities } from './utility.ts'

export type SummariseOptions = { readonly seed: string; readonly draws: number }

/** Every figure of one input. The same rows and seed give the same figures, latencies apart. */
export function summarise(
  { kind, name }: Pick<EvaluationInput, 'kind' | 'name'>,
  { scored, variants, counts }: Evaluated,
  { seed, draws }: SummariseOptions,
): InputReport {
  const slices = [
    { name: 'all', about: 'every transaction with a known outcome', rows: scored },
    {
      name: 'first seen',
      about: 'transactions whose pattern no earlier block had',
      rows: sliceOf(scored, (row) => scored.firstSeen[row] === 1),
    },
  ]
  const sorted = Float64Array.from(variants[0]!.latencies).sort()
  const percentile = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0
  return {
    kind,
    name,
    blocks: counts.blocks,
    transactions: counts.transactions,
    unknown: counts.unknown,
    envelopesRun: counts.admitted,
    unitsPerSuccess: unitsPerSuccess[kind],
    variants: variants.map(({ name, about, modelVersion, contextEpochs, cache }) => ({
      name,
      about,
      modelVersion,
      contextEpochs: contextEpochs(),
      cacheHitRate: cache.asked === 0 ? 0 : cache.hits / cache.asked,
    })),
    slices: slices.map(({ name, about, rows }) => ({
      name,
      about,
      ...sliceReport(rows, kind, drawBlocks(rows.blocks, draws, `${seed} ${name}`)),
    })),
    groups: groupReports(scored),
    latency: { blocks: sorted.length, p50: percentile(0.5), p99: percentile(0.99), max: percentile(1) },
  }
}

type Draws = readonly Uint16Array[]

function sliceReport(
  scored: Scored,
  kind: InputReport['kind'],
  draws: Draws,
): Omit<SliceReport, 'name' | 'about'> {
  const { succeeded } = scored
  return {
    rows: succeeded.length,
    failed: succeeded.length - sumOf(succeeded),
    blocks: scored.blocks,
    predictors: predictorReports(scored, draws),
    policies: policyReports(scored, kind, draws),
    heads: headReports(scored),
  }
}

/** A metric of one predictor: its value, what it is under each draw, and whether more is better. */
type Measured = { readonly value: number; readonly drawn: readonly (number | undefined)[] }

function meanMeasured(values: Float64Array, block: Int32Array, draws: Draws): Measured {
  return {
    value: values.length === 0 ? 0 : sumOf(values) / values.length,
    drawn: resampledMeans(values, block, draws),
  }
}

function predictorReports(
  { predictions, succeeded, block, blocks }: Scored,
  draws: Draws,
): PredictorReport[] {
  const failed = succeeded.map((one) => 1 - one)
  const once = new Uint16Array(blocks).fill(1)
  const measured = [...predictions].map(([name, p]) => {
    const precisionOf = prepareAveragePrecision(
      p.map((success) => 1 - success),
      failed,
      block,
    )
    const precision = precisionOf(once)
    return {
      name,
      p,
      logLoss: meanMeasured(logLosses(p, succeeded), block, draws),
      brier: meanMeasured(squaredErrors(p, succeeded), block, draws),
      precision:
        precision === undefined
          ? undefined
          : { value: precision, drawn: draws.map((times) => precisionOf(times)) },
    }
  })
  const ours = measured[0]!
  return measured.map(({ name, p, logLoss, brier, precision }) => {
    const bins = equalMassBins(p, succeeded)
    const { brier: _, ...parts } = brierParts(bins)
    const isSame = name !== ours.name && p.every((value, row) => value === ours.p[row])
    return {
      name,
      about: aboutPredictor(name),
      logLoss: intervalOf(logLoss.value, logLoss.drawn),
      brier: intervalOf(brier.value, brier.drawn),
      brierParts: parts,
      calibrationError: calibrationError(bins),
      bins: bins.map(({ spread: _, ...bin }) => bin),
      averagePrecision: precision === undefined ? null : intervalOf(precision.value, precision.drawn),
      coverage: coverageCurve(p, succeeded),
      oursAgainstIt:
        name === ours.name
          ? null
          : {
              logLoss: compare(logLoss, ours.logLoss, isSame),
              brier: compare(brier, ours.brier, isSame),
              averagePrecision: precision === undefined ? null : compare(ours.precision!, precision, isSame),
            },
    }
  })
}

/** The first minus the second, draw by draw: the same blocks on both sides. */
function compare(first: Measured, second: Measured, isSame: boolean): Comparison {
  const drawn = first.drawn.map((value, draw) => {
    const other = second.drawn[draw]
    return value === undefined || other === undefined ? undefined : value - other
  })
  const difference: Interval = intervalOf(first.value - second.value, drawn)
  const { low, high } = difference
  return { difference, verdict: isSame ? 'same' : low > 0 ? 'wins' : high < 0 ? 'loses' : 'ties' }
}

function policyReports(scored: Scored, kind: InputReport['kind'], draws: Draws): PolicyReport[] {
  const { choices, succeeded, block } = scored
  const best = utilities(scored, succeeded, kind)
  const measured = [...choices].map(([name, ran]) => {
    const worth = utilities(scored, ran, kind)
    return {
      name,
      ran,
      utility: meanMeasured(worth, block, draws),
      regret: meanMeasured(
        best.map((most, row) => most - worth[row]!),
        block,
        draws,
      ),
    }
  })
  const ours = measured.find(({ name }) => name === 'ours')!
  return measured.map(({ name, ran, utility, regret }) => {
    const run = sumOf(ran)
    const failed = ran.reduce((sum, one, row) => sum + (one === 1 && succeeded[row] === 0 ? 1 : 0), 0)
    const isSame = ran.every((one, row) => one === ours.ran[row])
    return {
      name,
      about: aboutPolicy(name),
      coverage: ran.length === 0 ? 0 : run / ran.length,
      risk: run === 0 ? null : failed / run,
      utility: intervalOf(utility.value, utility.drawn),
      regret: intervalOf(regret.value, regret.drawn),
      oursAgainstIt: name === ours.name ? null : compare(ours.utility, utility, isSame),
    }
  })
}

function groupReports(scored: Scored): GroupReport[] {
  const names = new Set(scored.groups.filter((name) => name !== undefined))
  return [...names].sort().map((name) => {
    const { succeeded, predictions, choices } = sliceOf(scored, (row) => scored.groups[row] === name)
    const rows = succeeded.length
    const losses = [...predictions].map(
      ([predictor, p]) => [predictor, sumOf(logLosses(p, succeeded)) / rows] as const,
    )
    return {
      name,
      rows,
      failed: rows - sumOf(succeeded),
      coverage: sumOf(choices.get('ours')!) / rows,
      logLoss: Object.fromEntries(losses),
    }
  })
}

function headReports({ heads, succeeded, units, predictions }: Scored): HeadReport[] {
  const reports: HeadReport[] = []
  const failed = succeeded.map((one) => 1 - one)
  const of = (name: string) => {
    const values = heads.get(name)
    return values?.some(Number.isNaN) ? undefined : values
  }
  const risk = of('risk')
  const precision = (scores: Float64Array) =>
    prepareAveragePrecision(scores, failed, new Int32Array(scores.length))([1]) ?? null
  if (risk !== undefined) {
    reports.push({
      name: 'risk',
      about: 'does more risk mean more failures?',
      metric: 'AUPRC of failures',
      value: precision(risk),
      rival: '1 - success of ours',
      rivalValue: precision(predictions.get('ours')!.map((p) => 1 - p)),
    })
  }
  for (const name of ['computeUnits', 'cost']) {
    const values = of(name)
    if (values === undefined) continue
    reports.push({
      name,
      about: 'is what it calls dear dear?',
      metric: 'rank correlation with units used',
      value: rankCorrelation(values, units) ?? null,
      rival: 'mean units of the pattern',
      rivalValue: rankCorrelation(heads.get('units of the pattern')!, units) ?? null,
    })
  }
  return reports
}

function sumOf(values: Iterable<number>): number {
  let sum = 0
  for (const value of values) sum += value
  return sum
}
