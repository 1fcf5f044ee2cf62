import { ask } from './doors.js'
import { element } from './element.js'
import { graphSection } from './graph.js'
import { resultCard, resultList } from './results.js'

/** A row with the rows like it, and what the graph has around it. */
export async function rowView(id, signal) {
  const { of, items, warnings } = await ask(
    `similar/${encodeURIComponent(id)}`,
    { limit: 12, tokens: 20_000 },
    signal,
  )
  return {
    title: of.citation,
    said: `${items.length} rows like it`,
    nodes: [
      element('h1', { tabindex: -1 }, 'A row and its neighbours'),
      resultCard(of, { heading: 'h2', isOpen: true }),
      await graphSection(of, signal),
      element('h2', {}, 'Rows like it'),
      resultList(items, 'Nothing like it is kept.'),
      warnings.map((warning) => element('p', { class: 'quiet' }, warning)),
    ],
  }
}
