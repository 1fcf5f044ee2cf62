import type { EvaluationReport } from './report.ts'
import { colourOf, createPanel, dot, legend, line, picture, polyline } from './svg.ts'

/** Predictors worth seeing side by side; a picture of all would show none. */
const shown = ['ours', 'pattern rate', 'neighbours', 'truth']

/** Reliability by input: what was predicted against what happened, bin by bin. On the diagonal a predictor means what it says. */
export function drawReliability({ inputs }: EvaluationReport): string {
  const content = inputs.flatMap(({ kind, slices }, index) => {
    const all = slices.find(({ name }) => name === 'all')!
    const predictors = shown.flatMap((name) => all.predictors.filter((each) => each.name === name))
    const least = Math.min(
      1,
      ...predictors.flatMap(({ bins }) => bins.flatMap((bin) => [bin.predicted, bin.observed])),
    )
    const from = Math.floor(least * 10) / 10
    const panel = createPanel(
      index,
      `${kind}, ${all.rows} transactions, ${all.failed} failed`,
      { from, to: 1, label: 'predicted success' },
      { from, to: 1, label: 'share that succeeded' },
    )
    const [x1, y1] = panel.at(from, from)
    const [x2, y2] = panel.at(1, 1)
    const curves = predictors.map(({ name, bins }) => {
      const points = bins.map(({ predicted, observed }) => panel.at(predicted, observed))
      const colour = colourOf(name)
      const radius = name === 'ours' ? 4 : 3
      return polyline(points, colour) + points.map((point) => dot(point, radius, colour)).join('')
    })
    const names = predictors.map(({ name, calibrationError }) => ({
      name,
      note: `ECE ${calibrationError.toFixed(3)}`,
    }))
    return [panel.frame, line(x1, y1, x2, y2, '#999'), legend(index, names), ...curves.reverse()]
  })
  return picture('Predicted success against what happened', inputs.length, content)
}
