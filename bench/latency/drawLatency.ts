import { type Stretch, stretches } from '#harness'
import type { LatencyResult } from './types.ts'

const width = 900
const rowHeight = 46
const labelWidth = 270
const colours: Record<Exclude<Stretch, 'commitToAcknowledged'>, string> = {
  commitToReceived: '#4477aa',
  receivedToApplied: '#66ccee',
  appliedToDurable: '#228833',
  durableToAcknowledged: '#ccbb44',
}

/** Each case as one bar: the medians of the stretches one after the other, and marks at p50, p99 and the most of the whole. */
export function drawLatency(results: readonly LatencyResult[]): string {
  const rows = results.map((result) => ({ result, summary: result.watches[0]!.summary() }))
  const most = Math.max(...rows.map(({ summary }) => summary.commitToAcknowledged.p99)) * 1.1
  const x = (ms: number) => labelWidth + (Math.min(ms, most) / most) * (width - labelWidth - 20)
  const bars = rows.map(({ result, summary }, row) => {
    const y = 50 + row * rowHeight
    let at = 0
    const parts = (Object.keys(colours) as (keyof typeof colours)[]).map((stretch) => {
      const from = at
      at += summary[stretch].p50
      return `<rect x="${x(from).toFixed(1)}" y="${y}" width="${(x(at) - x(from)).toFixed(1)}" height="18" fill="${colours[stretch]}"/>`
    })
    const { p50, p99, max } = summary.commitToAcknowledged
    const mark = (ms: number, name: string) =>
      `<path d="M${x(ms).toFixed(1)} ${y - 3}v24" stroke="#222"/><text x="${x(ms).toFixed(1)}" y="${y + 32}" text-anchor="middle">${name} ${ms.toFixed(1)}</text>`
    return `<text x="0" y="${y + 13}">${labelOf(result)}</text>${parts.join('')}${mark(p50, 'p50')}${mark(p99, 'p99')}<text x="${width}" y="${y + 13}" text-anchor="end">max ${max.toFixed(0)}</text>`
  })
  const legend = (Object.keys(colours) as (keyof typeof colours)[]).map(
    (stretch, index) =>
      `<rect x="${labelWidth + index * 150}" y="8" width="12" height="12" fill="${colours[stretch]}"/><text x="${labelWidth + 18 + index * 150}" y="18">${stretches[stretch]}</text>`,
  )
  const height = 60 + rows.length * rowHeight
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12"><rect width="${width}" height="${height}" fill="#fff"/><text x="0" y="18" font-weight="bold">commit → acknowledged, ms</text>${legend.join('')}${bars.join('')}</svg>`
}

export const labelOf = ({ source, carried, transactions, sidecars, linkDelayMs }: LatencyResult): string =>
  `${source}, ${carried.toFixed(carried < 10 ? 1 : 0)} blocks/s × ${transactions}, ${sidecars} sidecar${sidecars > 1 ? 's' : ''}${linkDelayMs > 0 ? `, +${linkDelayMs} ms` : ''}`
