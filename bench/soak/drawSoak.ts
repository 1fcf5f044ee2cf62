import type { Soak } from './measureSoak.ts'

const width = 900
const left = 60
const right = 760
const panelHeight = 110
const panelGap = 44
const top = 34
const colours = ['#4477aa', '#228833', '#ccbb44', '#ee6677']

type Line = { readonly name: string; readonly points: readonly (readonly [seconds: number, value: number])[] }

/** Memory, disk and latency over the time, a panel each, from zero: level lines are what is wanted. */
export function drawSoak({ options, samples, tenths }: Soak): string {
  const { seconds } = options
  const at = (index: number) => ((index + 0.5) * seconds) / tenths.length
  const panels: readonly { readonly title: string; readonly lines: readonly Line[] }[] = [
    {
      title: 'resident memory, MB',
      lines: [
        { name: 'sidecar', points: samples.map((each) => [each.seconds, each.sidecarMb]) },
        { name: 'vector store', points: samples.map((each) => [each.seconds, each.vectorMb]) },
      ],
    },
    {
      title: 'data directory, MB; versions of tables',
      lines: [
        { name: 'MB on disk', points: samples.map((each) => [each.seconds, each.diskMb]) },
        { name: 'versions', points: samples.map((each) => [each.seconds, each.versions]) },
      ],
    },
    {
      title: 'latency by tenth, ms',
      lines: [
        { name: 'durable p50', points: tenths.map((each, index) => [at(index), each.durableMs.p50]) },
        { name: 'durable p99', points: tenths.map((each, index) => [at(index), each.durableMs.p99]) },
        { name: 'answers p50', points: tenths.map((each, index) => [at(index), each.answersMs.p50]) },
        { name: 'answers p99', points: tenths.map((each, index) => [at(index), each.answersMs.p99]) },
      ],
    },
  ]
  const height = top + panels.length * (panelHeight + panelGap)
  const x = (time: number) => left + (time / seconds) * (right - left)
  const drawn = panels.map(({ title, lines }, index) => {
    const base = top + index * (panelHeight + panelGap) + panelHeight
    const most = Math.max(1, ...lines.flatMap(({ points }) => points.map(([, value]) => value)))
    const y = (value: number) => base - (value / most) * panelHeight
    const paths = lines.map(({ name, points }, line) => {
      const path = points.map(([time, value]) => `${x(time).toFixed(1)} ${y(value).toFixed(1)}`).join('L')
      const legend = `<text x="${right + 12}" y="${base - panelHeight + 14 + line * 17}" fill="${colours[line]}">${name}</text>`
      return `<path d="M${path}" fill="none" stroke="${colours[line]}" stroke-width="1.5"/>${legend}`
    })
    return (
      `<text x="${left}" y="${base - panelHeight - 8}" font-weight="bold">${title}</text>` +
      `<path d="M${left} ${base - panelHeight}V${base}H${right}" fill="none" stroke="#999"/>` +
      `<text x="${left - 6}" y="${base - panelHeight + 4}" text-anchor="end">${Math.round(most)}</text><text x="${left - 6}" y="${base + 4}" text-anchor="end">0</text>` +
      `<text x="${right}" y="${base + 16}" text-anchor="end" fill="#555">${Math.round(seconds / 60)} min</text>${paths.join('')}`
    )
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12" fill="#222"><title>Memory, disk and latency over time</title><rect width="${width}" height="${height}" fill="#fff"/>${drawn.join('')}</svg>\n`
}
