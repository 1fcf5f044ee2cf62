import { bar, element, stateChip } from './element.js'

const kinds = {
  transaction: 'Transaction',
  pattern: 'Pattern of calls',
  document: 'Document',
  memory: 'Memory',
  entity: 'Entity',
}

/** Decisions in words. */
export const routes = {
  executeOnSvm: 'Run on the SVM',
  executeOnEvm: 'Left to the EVM',
  skip: 'Skipped',
}

const good = ['succeeded', 'executed', 'deposited']
const bad = ['failed', 'rejected']

/** The address of the transaction a row is about, or undefined. */
export function transactionOf(item) {
  const hash = item.facts.transactionHash
  return /^0x[0-9a-f]{64}$/.test(hash ?? '') ? `#/tx/${hash}` : undefined
}

/** One row of an answer: what it is, where it stands, what it says, and where to go from it. */
export function resultCard(item, { heading = 'h3', isOpen = false } = {}) {
  const decision = transactionOf(item)
  const row = `#/${item.kind === 'entity' ? 'entity' : 'row'}/${encodeURIComponent(item.id)}`
  const title = kinds[item.kind] ?? item.kind
  const { outcome, route } = item.facts
  return element(
    'article',
    { class: 'result', 'data-id': item.id },
    element(
      'header',
      {},
      element(heading, {}, title),
      outcome ? outcomeChip(outcome) : null,
      route ? element('span', { class: 'chip' }, routes[route] ?? route) : null,
      stateChip(item.finality),
      // Rows that are only the newest were compared with nothing.
      item.facts.match === 'newest'
        ? null
        : element('span', { class: 'score' }, 'score ', bar('score', item.score)),
    ),
    element(
      'blockquote',
      { class: 'chain', title: item.untrusted ? 'Whoever sent or wrote it chose it' : null },
      // Ends of lines come spelled out: here they may be what they are.
      item.text.replaceAll('\\u{a}', '\n'),
    ),
    element(
      'footer',
      {},
      element(
        'span',
        { class: 'citation' },
        decision ? element('a', { href: decision }, item.citation) : item.citation,
      ),
      isOpen
        ? null
        : element(
            'a',
            { href: row, class: 'more', 'aria-label': `Neighbours of ${item.citation}` },
            'Neighbours',
          ),
    ),
  )
}

function outcomeChip(outcome) {
  const kind = good.includes(outcome) ? 'good' : bad.includes(outcome) ? 'bad' : ''
  return element('span', { class: `chip ${kind}` }, outcome)
}

/** A list of rows under a heading; says so when there are none. */
export function resultList(items, none, options) {
  if (items.length === 0) return element('p', { class: 'none' }, none)
  return element(
    'ol',
    { class: 'results' },
    items.map((item) => element('li', {}, resultCard(item, options))),
  )
}
