import type { Interval } from './metrics/blockBootstrap.ts'
import type { Comparison, EvaluationReport, InputReport, SliceReport } from './report.ts'

/** The report for people: tables of fixed width, and in words where ours wins, ties or loses. */
export function formatReport(report: EvaluationReport): string {
  return report.inputs.map((input) => formatInput(input, report.draws)).join('\n')
}

function formatInput(input: InputReport, draws: number): string {
  const { kind, name, blocks, transactions, unknown, envelopesRun, latency, variants, slices, groups } = input
  const ours = variants[0]!
  const facts = [
    `${kind} blocks: ${name}`,
    `  ${blocks} blocks, ${transactions} transactions, ${unknown} of them without a known outcome: learnt as seen, not scored`,
    ...(kind === 'generated' ? [`  ours ran ${envelopesRun} envelopes, and learnt from those alone`] : []),
    `  context with rows in ${ours.contextEpochs} epochs, searches saved ${percent(ours.cacheHitRate)}`,
    `  decision p50 ${latency.p50.toFixed(2)} ms, p99 ${latency.p99.toFixed(2)} ms, most ${latency.max.toFixed(2)} ms a block`,
    `  utility: a success that ran is worth 1, a failure minus units burnt / ${input.unitsPerSuccess}; 95 % intervals from ${draws} draws of whole blocks`,
  ]
  return `${[...facts, '', ...slices.flatMap(formatSlice), ...formatGroups(groups)].join('\n')}\n`
}

function formatSlice({
  name,
  about,
  rows,
  failed,
  blocks,
  predictors,
  policies,
  heads,
}: SliceReport): string[] {
  const title = `${name}: ${about}; ${rows} in ${blocks} blocks, ${failed} failed`
  if (rows === 0) return [title, '']
  return [
    title,
    ...table([
      ['predictor', 'log loss', 'Brier', 'ECE', 'AUPRC of failures', 'ours: log loss', 'AUPRC'],
      ...predictors.map((each) => [
        each.name,
        figure(each.logLoss.value),
        figure(each.brier.value),
        figure(each.calibrationError),
        each.averagePrecision ? withInterval(each.averagePrecision) : '-',
        verdict(each.oursAgainstIt?.logLoss),
        verdict(each.oursAgainstIt?.averagePrecision),
      ]),
    ]),
    '',
    ...table([
      ['policy', 'runs', 'of these fail', 'utility', 'regret', 'ours: utility'],
      ...policies
        .filter(isWorthALine)
        .map((each) => [
          each.name,
          percent(each.coverage),
          each.risk === null ? '-' : percent(each.risk),
          withInterval(each.utility),
          figure(each.regret.value),
          verdict(each.oursAgainstIt),
        ]),
    ]),
    ...heads.map(
      (head) =>
        `  part ${head.name}, ${head.metric}: ${optional(head.value)}; ${head.rival}: ${optional(head.rivalValue)}`,
    ),
    '',
    ...verdictsOf(predictors, policies),
    '',
  ]
}

/** Predictors whose log loss by kind of traffic is worth a column. */
const byKind = ['ours', 'no model', 'short epochs', 'pattern rate', 'seeds', 'truth']

function formatGroups(groups: InputReport['groups']): string[] {
  if (groups.length === 0) return []
  const shown = byKind.filter((predictor) => predictor in groups[0]!.logLoss)
  const rows = groups.map(({ name, rows, failed, coverage, logLoss }) => [
    name,
    String(rows),
    percent(failed / rows),
    percent(coverage),
    ...shown.map((predictor) => figure(logLoss[predictor]!)),
  ])
  return [
    'log loss by kind of traffic',
    ...table([['kind', 'rows', 'fail', 'ours runs', ...shown], ...rows]),
    '',
  ]
}

/** Policies that do the same as ours in every row are named below the table; `always` is what regret is about. */
const isWorthALine = ({ name, oursAgainstIt }: SliceReport['policies'][number]) =>
  name === 'always' || oursAgainstIt?.verdict !== 'same'

/** One sentence a verdict: what ours wins, ties and loses against. */
function verdictsOf(predictors: SliceReport['predictors'], policies: SliceReport['policies']): string[] {
  const metrics: [string, (readonly [string, Comparison | null | undefined])[]][] = [
    ['log loss', predictors.map((each) => [each.name, each.oursAgainstIt?.logLoss] as const)],
    ['Brier', predictors.map((each) => [each.name, each.oursAgainstIt?.brier] as const)],
    ['AUPRC', predictors.map((each) => [each.name, each.oursAgainstIt?.averagePrecision] as const)],
    ['utility', policies.map((each) => [each.name, each.oursAgainstIt] as const)],
  ]
  const words = { wins: 'wins against', ties: 'ties with', loses: 'loses to', same: 'is the same as' }
  return metrics.map(([metric, compared]) => {
    const parts = Object.entries(words).flatMap(([name, says]) => {
      const of = compared.filter(([, comparison]) => comparison?.verdict === name).map(([each]) => each)
      return of.length === 0 ? [] : [`${says} ${of.join(', ')}`]
    })
    return `  by ${metric} ours ${parts.join('; ') || 'stands alone'}`
  })
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  return rows.map((row) =>
    `  ${row.map((cell, column) => cell.padEnd(widths[column]!)).join('  ')}`.trimEnd(),
  )
}

const figure = (value: number): string => value.toFixed(4)
const optional = (value: number | null): string => (value === null ? '-' : value.toFixed(3))
const percent = (share: number): string => `${(100 * share).toFixed(1)} %`
const withInterval = ({ value, low, high }: Interval): string =>
  `${value.toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)})`

function verdict(comparison: Comparison | null | undefined): string {
  if (!comparison) return ''
  const { difference, verdict: word } = comparison
  if (word === 'same') return 'same'
  const sign = (value: number) => `${value >= 0 ? '+' : ''}${value.toFixed(4)}`
  return `${word} ${sign(difference.value)} (${sign(difference.low)} to ${sign(difference.high)})`
}
