import { element } from './element.js'

/** A button that has a model word the facts, and what it says, marked as its own. */
export function wordingView(hash, model, facts, signal) {
  if (model === null) {
    return element(
      'p',
      { class: 'quiet' },
      'No chat endpoint is configured to word this; the facts below are all there is.',
    )
  }
  const words = element('p', { class: 'words' })
  const note = element('p', { class: 'quiet', role: 'status' })
  const box = element(
    'div',
    { class: 'model', hidden: true },
    element('p', { class: 'by' }, `In the words of the model ${model}, which decided nothing`),
    words,
    note,
  )
  const button = element('button', { type: 'button', onclick: start }, 'Put it in words')
  return element('section', { class: 'wording' }, button, box)

  function start() {
    button.disabled = true
    box.hidden = false
    words.textContent = ''
    note.textContent = 'Asking…'
    const source = new EventSource(`../explain/${hash}`)
    const end = (message) => {
      source.close()
      button.disabled = false
      note.textContent = message
    }
    signal.addEventListener('abort', () => source.close(), { once: true })
    source.addEventListener('model', ({ data }) => {
      words.append(JSON.parse(data).text)
      note.textContent = ''
    })
    source.addEventListener('done', ({ data }) => {
      const { cited = [], unknown = [] } = JSON.parse(data)
      linkFacts(words, facts)
      const missing = unknown.length > 0 ? ` It also names ${unknown.join(', ')}, which do not exist.` : ''
      end(
        cited.length > 0
          ? `It cites facts ${cited.join(', ')}.${missing}`
          : `It cites no fact: take it for what it is.${missing}`,
      )
    })
    source.addEventListener('failed', ({ data }) =>
      end(`The answer is not whole: ${JSON.parse(data).message}`),
    )
    source.onerror = () => {
      if (source.readyState !== EventSource.OPEN) end('The sidecar broke off the answer.')
    }
  }
}

/** Numbers in brackets that name a fact become links to it. */
function linkFacts(words, facts) {
  const known = new Set(facts.map(({ number }) => String(number)))
  const parts = words.textContent.split(/(\[\d{1,4}\])/)
  words.replaceChildren(
    ...parts.map((part) => {
      const number = /^\[(\d+)\]$/.exec(part)?.[1]
      if (!known.has(number)) return part
      return element('button', { type: 'button', class: 'link', onclick: () => show(number) }, part)
    }),
  )
}

function show(number) {
  document.getElementById('facts').open = true
  const fact = document.getElementById(`fact-${number}`)
  fact.scrollIntoView({ block: 'center' })
  fact.focus()
}
