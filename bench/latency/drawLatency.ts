import { type Stretch, stretches } from '#harness'
import type { LatencyResult } from './types.ts'

const width = 900
const rowHeight = 28
const top = 62
const barsFrom = 250
const barsTo = 720
/** Right edges of the columns of numbers. */
const columns = { p50: 780, p99: 840, max: 896 }
const colours: Record<Exclude<Stretch, 'commitToAcknowledged'>, string> = {
  commitToReceived: '#4477aa',
  receivedToApplied: '#66ccee',
  appliedToDurable: '#228833',
  durableToAcknowledged: '#ccbb44',
}
const parts = Object.keys(colours) as (keyof typeof colours)[]

/**
 * Each case as one bar: the medians of the stretches one after the other, a mark at the whole's p99, and numbers. The scale is that of
 * the cases that carried what was asked; a bar that does not fit is broken off, as what waits in queues has no end.
 */
export function drawLatency(results: readonly LatencyResult[]): string {
  const rows = results.map((result) => ({ result, summary: result.watches[0]!.summary() }))
  const carried = rows.filter(({ result }) => isCarried(result))
  const most = Math.max(
    ...(carried.length > 0 ? carried : rows).map(({ summary }) => summary.commitToAcknowledged.p99),
  )
  const x = (ms: number) => barsFrom + (Math.min(ms, most) / most) * (barsTo - barsFrom)
  const bars = rows.map(({ result, summary }, row) => {
    const y = top + row * rowHeight
    let at = 0
    const rects = parts.map((stretch) => {
      const from = at
      at += summary[stretch].p50
      return `<rect x="${x(from).toFixed(1)}" y="${y}" width="${(x(at) - x(from)).toFixed(1)}" height="14" fill="${colours[stretch]}"/>`
    })
    const { p50, p99, max } = summary.commitToAcknowledged
    const end =
      at > most
        ? `<path d="M${barsTo - 9} ${y - 2}l4 6-4 6 4 6" fill="none" stroke="#fff" stroke-width="3"/>`
        : `<path d="M${x(p99).toFixed(1)} ${y - 3}v20" stroke="#222"/>`
    const numbers = Object.entries({ p50, p99, max }).map(
      ([name, ms]) =>
        `<text x="${columns[name as keyof typeof columns]}" y="${y + 11}" text-anchor="end">${ms < 100 ? ms.toFixed(1) : ms.toFixed(0)}</text>`,
    )
    return `<text x="4" y="${y + 11}">${labelOf(result)}</text>${rects.join('')}${end}${numbers.join('')}`
  })
  const legend = parts.map(
    (stretch, index) =>
      `<rect x="${barsFrom + index * 118}" y="8" width="10" height="10" fill="${colours[stretch]}"/><text x="${barsFrom + 14 + index * 118}" y="17" font-size="10">${stretches[stretch]}</text>`,
  )
  const heads = Object.entries(columns).map(
    ([name, right]) => `<text x="${right}" y="44" text-anchor="end" fill="#555">${name}</text>`,
  )
  const height = top + rows.length * rowHeight + 6
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12" fill="#222"><title>Latency by stretch</title><rect width="${width}" height="${height}" fill="#fff"/><text x="4" y="17" font-weight="bold">commit → acknowledged, ms</text>${legend.join('')}<text x="${barsFrom}" y="44" fill="#555">medians; the mark is p99</text>${heads.join('')}${bars.join('')}</svg>\n`
}

/** A feed keeps its rate; where the sidecar does not, blocks wait in queues and their times say only for how long that went on. */
const isCarried = ({ source, carried, blocksPerSecond }: LatencyResult): boolean =>
  source !== 'feed' || carried > 0.95 * blocksPerSecond

export const labelOf = (result: LatencyResult): string => {
  const { source, carried, blocksPerSecond, transactions, sidecars, linkDelayMs } = result
  const rate = `${carried.toFixed(carried < 9.95 ? 1 : 0)}${isCarried(result) ? '' : ` of ${blocksPerSecond}`}`
  return `${source}, ${rate} blocks/s × ${transactions}${sidecars > 1 ? `, ${sidecars} sidecars` : ''}${linkDelayMs > 0 ? `, +${linkDelayMs} ms` : ''}`
}
