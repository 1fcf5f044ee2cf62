/**
 * An element with attributes and children. Strings become text, never markup; what is null or undefined is left out.
 * Attributes that begin with `on` are listeners.
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue
    if (name.startsWith('on')) made.addEventListener(name.slice(2), value)
    else made.setAttribute(name, value === true ? '' : String(value))
  }
  for (const child of children.flat(Number.POSITIVE_INFINITY)) {
    if (child !== null && child !== undefined) made.append(child)
  }
  return made
}

/** A number from 0 to 1 as a bar, with its value beside it. */
export function bar(label, value) {
  return element(
    'span',
    { class: 'bar' },
    element('meter', { min: 0, max: 1, value, 'aria-label': label }),
    element('span', { class: 'number', 'aria-hidden': 'true' }, value.toFixed(2)),
  )
}

const states = {
  finalized: ['final', 'No reorg can take it back'],
  head: ['not final yet', 'A reorg may still take it back'],
  undone: ['undone', 'A reorg took it back'],
}

/** How sure it is that something stays. */
export function stateChip(state) {
  const [words, why] = states[state] ?? [state, '']
  return element('span', { class: `chip ${state in states ? state : ''}`, title: why }, words)
}
