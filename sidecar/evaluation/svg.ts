/** One colour a predictor, in every picture the same; people who see fewer colours tell them apart too. */
const colours: Readonly<Record<string, string>> = {
  ours: '#4477aa',
  'pattern rate': '#ee6677',
  neighbours: '#228833',
  truth: '#ccbb44',
  seeds: '#aa3377',
  'global rate': '#66ccee',
}
export const colourOf = (predictor: string): string => colours[predictor] ?? '#999999'

/** A square with axes, in which x and y are given in values. */
export type Panel = {
  /** Position in the picture. */
  readonly at: (x: number, y: number) => readonly [number, number]
  readonly frame: string
}

export const panelSize = 300
export const margin = { left: 58, top: 82, right: 24, bottom: 52 }
export const panelWidth = margin.left + panelSize + margin.right
export const panelHeight = margin.top + panelSize + margin.bottom

export type Axis = { readonly from: number; readonly to: number; readonly label: string }

/** Panel number `index` of a row of them, with five ticks an axis. */
export function createPanel(index: number, title: string, x: Axis, y: Axis): Panel {
  const left = index * panelWidth + margin.left
  const scale = (value: number, { from, to }: Axis) => ((value - from) / (to - from || 1)) * panelSize
  const at = (px: number, py: number) => [left + scale(px, x), margin.top + panelSize - scale(py, y)] as const
  const ticks = [0, 0.25, 0.5, 0.75, 1].flatMap((share) => {
    const vx = x.from + share * (x.to - x.from)
    const vy = y.from + share * (y.to - y.from)
    const [tx] = at(vx, y.from)
    const [, ty] = at(x.from, vy)
    const bottom = margin.top + panelSize
    return [
      line(tx, margin.top, tx, bottom, '#eee'),
      line(left, ty, left + panelSize, ty, '#eee'),
      text(tx, bottom + 16, tick(vx), 'middle'),
      text(left - 6, ty + 4, tick(vy), 'end'),
    ]
  })
  const frame = [
    ...ticks,
    `<rect x="${left}" y="${margin.top}" width="${panelSize}" height="${panelSize}" fill="none" stroke="#222"/>`,
    `<text x="${left}" y="18" font-weight="bold">${escaped(title)}</text>`,
    text(left + panelSize / 2, panelHeight - 14, x.label, 'middle'),
    `<text transform="translate(${left - 44} ${margin.top + panelSize / 2}) rotate(-90)" text-anchor="middle">${escaped(y.label)}</text>`,
  ].join('')
  return { at, frame }
}

/** A picture of so many panels. @param title for who cannot see it */
export function picture(title: string, panels: number, content: readonly string[]): string {
  const width = panels * panelWidth
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${panelHeight}" font-family="sans-serif" font-size="12"><title>${escaped(title)}</title><rect width="${width}" height="${panelHeight}" fill="#fff"/>${content.join('')}</svg>\n`
}

/** Names of predictors in their colours above a panel, two a line, each with what is to be said of it. */
export function legend(
  index: number,
  names: readonly { readonly name: string; readonly note?: string }[],
): string {
  return names
    .map(({ name, note }, at) => {
      const x = index * panelWidth + margin.left + (at % 2) * (panelSize / 2)
      const y = 26 + Math.floor(at / 2) * 17
      const said = note === undefined ? name : `${name}, ${note}`
      return `<rect x="${x}" y="${y}" width="10" height="10" fill="${colourOf(name)}"/>${text(x + 14, y + 10, said, 'start')}`
    })
    .join('')
}

export const polyline = (points: readonly (readonly [number, number])[], colour: string): string =>
  `<polyline points="${points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(' ')}" fill="none" stroke="${colour}" stroke-width="1.5"/>`

export const line = (x1: number, y1: number, x2: number, y2: number, colour: string): string =>
  `<path d="M${x1.toFixed(1)} ${y1.toFixed(1)}L${x2.toFixed(1)} ${y2.toFixed(1)}" stroke="${colour}"/>`

export const dot = ([x, y]: readonly [number, number], radius: number, colour: string): string =>
  `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="${radius}" fill="${colour}"/>`

function text(x: number, y: number, content: string, anchor: 'start' | 'middle' | 'end'): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}">${escaped(content)}</text>`
}

/** Three digits, without zeros at the end. */
function tick(value: number): string {
  return String(Number(value.toFixed(3)))
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
