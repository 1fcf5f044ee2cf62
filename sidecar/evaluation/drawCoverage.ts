import type { EvaluationReport } from './report.ts'
import { colourOf, createPanel, dot, legend, picture, polyline } from './svg.ts'

/** Where the axis of risks may end: a quarter of it is a round number. */
const tops = [0.02, 0.04, 0.08, 0.2, 0.4, 0.6, 0.8, 1]
const shown = ['ours', 'pattern rate', 'neighbours', 'global rate', 'seeds', 'truth']

/**
 * Coverage against risk by input: how many of the surest share fail, for every share. The dot is where the decisions of ours
 * are.
 */
export function drawCoverage({ inputs }: EvaluationReport): string {
  const content = inputs.flatMap(({ kind, slices }, index) => {
    const all = slices.find(({ name }) => name === 'all')!
    const predictors = shown.flatMap((name) => all.predictors.filter((each) => each.name === name))
    const acting = all.policies.find(({ name }) => name === 'ours')
    const risks = predictors.flatMap(({ coverage }) => coverage.points.map(({ risk }) => risk))
    const most = Math.max(0.01, acting?.risk ?? 0, ...risks)
    const panel = createPanel(
      index,
      `${kind}, ${all.rows} transactions, ${all.failed} failed`,
      { from: 0, to: 1, label: 'coverage: share acted on, surest first' },
      { from: 0, to: tops.find((top) => top >= most) ?? 1, label: 'risk: share of these that failed' },
    )
    const curves = predictors.map(({ name, coverage }) =>
      polyline(
        coverage.points.map((point) => panel.at(point.coverage, point.risk)),
        colourOf(name),
      ),
    )
    const mark =
      acting === undefined || acting.risk === null
        ? []
        : [dot(panel.at(acting.coverage, acting.risk), 5, colourOf('ours'))]
    return [
      panel.frame,
      legend(
        index,
        predictors.map(({ name }) => ({ name })),
      ),
      ...curves.reverse(),
      ...mark,
    ]
  })
  return picture('Coverage against risk', inputs.length, content)
}
