import { ask } from './doors.js'
import { element } from './element.js'
import { entityView } from './graph.js'
import { resultList } from './results.js'
import { rowView } from './row.js'
import { fillForm, readForm, toRequest } from './search.js'
import { transactionView } from './transaction.js'

const main = document.getElementById('main')
const form = document.getElementById('search')
const announcement = document.getElementById('announcement')
const statusLine = document.getElementById('status')
const kinds = ['transaction', 'pattern', 'document', 'memory', 'entity']

let leaving = new AbortController()

/** Shows what the address says: `#?q=…` a search, `#/tx/0x…` a transaction, `#/row/…` a row, `#/entity/…` an entity. */
async function show({ isFirst = false } = {}) {
  leaving.abort()
  leaving = new AbortController()
  const { signal } = leaving
  const address = location.hash.slice(1)
  const transaction = /^\/tx\/(0x[0-9a-fA-F]{64})$/.exec(address)?.[1]
  const entity = /^\/entity\/([^/]+)$/.exec(address)?.[1]
  const row = /^\/row\/([^/]+)$/.exec(address)?.[1]
  const search = new URLSearchParams(address.startsWith('?') ? address.slice(1) : '')
  fillForm(form, search)
  main.setAttribute('aria-busy', 'true')
  let view
  try {
    view = transaction
      ? await transactionView(transaction.toLowerCase(), signal)
      : row
        ? await rowView(decodeURIComponent(row), signal)
        : entity
          ? await entityView(decodeURIComponent(entity), signal)
          : await searchView(search, signal)
  } catch (error) {
    if (signal.aborted) return
    view = {
      title: 'Not found',
      said: error.message,
      nodes: [
        element('h1', { tabindex: -1 }, 'That did not work'),
        element('p', { class: 'problem' }, error.message),
      ],
    }
  }
  if (signal.aborted) return
  main.replaceChildren(...view.nodes.flat().filter((node) => node !== null))
  main.removeAttribute('aria-busy')
  document.title = `${view.title} · Monmouth`
  announcement.textContent = view.said
  // A reader of the screen follows to what is new; the first sight leaves the focus where the page begins.
  if (!isFirst) {
    scrollTo(0, 0)
    main.querySelector('h1')?.focus()
  }
}

async function searchView(search, signal) {
  const isEmpty = [...search.keys()].length === 0
  const { items, asOf, budget, warnings } = await ask('context', toRequest(search), signal)
  const count = `${items.length} ${items.length === 1 ? 'row' : 'rows'}`
  const at = asOf ? `as of block ${asOf.number}` : 'nothing is stored yet'
  const dropped = budget.dropped > 0 ? `, ${budget.dropped} left out for length` : ''
  return {
    title: isEmpty ? 'Newest' : (search.get('q') ?? 'Search'),
    said: `${count}, ${at}`,
    nodes: [
      element('h1', { tabindex: -1 }, isEmpty ? 'Newest' : 'Results'),
      element('p', { class: 'quiet' }, `${count}, ${at}${dropped}`),
      warnings.map((warning) => element('p', { class: 'warning' }, warning)),
      resultList(items, 'Nothing found. Try fewer words, or fewer filters.', { heading: 'h2' }),
    ],
  }
}

async function showStatus() {
  try {
    const [{ durable, finalized, reorgs }, { problems }] = await Promise.all([ask('status'), health()])
    const height = durable ? `block ${durable.number}` : 'no block yet'
    const final = finalized ? `final up to ${finalized.number}` : 'nothing final'
    statusLine.textContent = [
      height,
      final,
      `${reorgs} ${reorgs === 1 ? 'reorg' : 'reorgs'}`,
      ...problems.map(({ message }) => message),
    ].join(' · ')
    statusLine.classList.toggle('problem', problems.length > 0)
  } catch (error) {
    statusLine.textContent = error.message
    statusLine.classList.add('problem')
  }
}

/** Its answer has the same shape when it is not healthy. */
async function health() {
  const response = await fetch('../health')
  return response.json()
}

form.addEventListener('submit', (event) => {
  event.preventDefault()
  const search = `#?${readForm(form)}`
  if (location.hash === search) void show()
  else location.hash = search
})
form.addEventListener('change', ({ target }) => {
  if (target.matches('select')) form.requestSubmit()
})
document.getElementById('skip').addEventListener('click', () => main.focus())
document.addEventListener('keydown', (event) => {
  const isTyping = event.target.closest('input, select, textarea') !== null
  if (event.key !== '/' || isTyping || event.ctrlKey || event.metaKey || event.altKey) return
  event.preventDefault()
  form.elements.namedItem('q').focus()
})
addEventListener('hashchange', () => void show())

for (const kind of kinds) document.getElementById('kind').append(element('option', {}, kind))
void show({ isFirst: true })
void showStatus()
setInterval(() => {
  if (!document.hidden) void showStatus()
}, 5_000)
