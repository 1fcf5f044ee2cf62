import { ask } from './doors.js'
import { element, stateChip } from './element.js'

/** How an edge reads from the one it is told of: outwards, then inwards. */
const words = {
  calls: ['calls', 'is called by'],
  transfers: ['pays', 'is paid by'],
  deploys: ['deployed', 'was deployed by'],
  owns: ['has', 'is had by'],
  similar: ['is like', 'is like'],
}

/** The entity of the graph that a row is about, or undefined. */
export function entityOf({ kind, id, facts }) {
  if (kind === 'entity') return id
  if (kind === 'pattern') return facts.id
  const named = facts.to || facts.contract || facts.from || facts.subjects?.split(' ')[0]
  return /^(0x[0-9a-f]{40}|0x[0-9a-f]{64}|[0-9a-f]{50})$/.test(named ?? '') ? named : undefined
}

/** What the graph has around a row, as a section; nothing where the row is of nothing in it. */
export async function graphSection(item, signal) {
  const id = entityOf(item)
  if (id === undefined) return null
  const heading = element('h2', {}, 'Around it in the graph')
  try {
    const answer = await ask(`neighbours/${id}`, { fanout: 12 }, signal)
    const seen = element('p', { class: 'quiet' }, 'Seen from ', entityLink(id, answer.nodes))
    return element('section', {}, heading, seen, edgeList(answer))
  } catch (error) {
    if (signal.aborted) throw error
    // The rows like it are worth showing without.
    return element('section', {}, heading, element('p', { class: 'problem' }, error.message))
  }
}

/** An entity by itself, with everything around it. */
export async function entityView(id, signal) {
  const answer = await ask(`neighbours/${encodeURIComponent(id)}`, { fanout: 32 }, signal)
  const [node] = answer.nodes
  const search = new URLSearchParams({ q: id })
  return {
    title: `${node?.kind ?? 'entity'} ${id.slice(0, 10)}…`,
    said: `${answer.edges.length} edges`,
    nodes: [
      element(
        'h1',
        { tabindex: -1 },
        node ? node.kind[0].toUpperCase() + node.kind.slice(1) : 'Not in the graph',
      ),
      element('p', {}, element('code', {}, id), node?.name ? ` “${node.name}”` : ''),
      element('p', {}, element('a', { href: `#?${search}` }, 'Rows that name it')),
      edgeList(answer),
      answer.warnings.map((warning) => element('p', { class: 'quiet' }, warning)),
    ],
  }
}

function edgeList({ id, nodes, edges, truncated, asOf }) {
  if (edges.length === 0) {
    const at = asOf ? `up to block ${asOf.number}` : 'yet'
    return element(
      'p',
      { class: 'none' },
      `Nothing is known around it ${at}; blocks are taken in a few at a time.`,
    )
  }
  return [
    element(
      'ol',
      { class: 'plain' },
      edges.map((edge) => {
        const isOut = edge.source === id
        const [out, back] = words[edge.kind] ?? [edge.kind, edge.kind]
        return element(
          'li',
          {},
          `${isOut ? out : back} `,
          entityLink(isOut ? edge.target : edge.source, nodes),
          edge.token ? [' in token ', entityLink(edge.token, nodes)] : null,
          edge.similarity === undefined
            ? ` · ${edge.count} times${edge.failed > 0 ? `, ${edge.failed} failed` : ''} `
            : ` · ${edge.similarity.toFixed(2)} alike `,
          stateChip(edge.finality),
          citation(edge.citation),
        )
      }),
    ),
    truncated
      ? element('p', { class: 'quiet' }, 'There are more edges than are shown: the most counted come first.')
      : null,
  ]
}

function entityLink(id, nodes) {
  const node = nodes.find((each) => each.id === id)
  const name = node?.name ? ` “${node.name}”` : ''
  return element(
    'a',
    { href: `#/entity/${encodeURIComponent(id)}` },
    `${node ? `${node.kind} ` : ''}${id}${name}`,
  )
}

function citation(text) {
  const hash = /^tx (0x[0-9a-f]{64}) /.exec(text)?.[1]
  return element('span', { class: 'citation' }, hash ? element('a', { href: `#/tx/${hash}` }, text) : text)
}
