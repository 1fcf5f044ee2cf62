const names = ['q', 'kind', 'route', 'outcome', 'finality', 'since', 'until']

/** What the form holds, as the part of the address after `#?`. */
export function readForm(form) {
  const given = names.map((name) => [name, form.elements.namedItem(name).value.trim()])
  return new URLSearchParams(given.filter(([, value]) => value !== ''))
}

/** Puts an address back into the form. */
export function fillForm(form, search) {
  for (const name of names) form.elements.namedItem(name).value = search.get(name) ?? ''
  const isFiltered = names.slice(1).some((name) => search.has(name))
  if (isFiltered) form.querySelector('details').open = true
}

/** The question and the filter that the context door is asked with. */
export function toRequest(search) {
  const words = ['kind', 'route', 'outcome', 'finality']
    .filter((name) => search.has(name))
    .map((name) => `${name}:${search.get(name)}`)
  const bounds = [
    ['since', '>='],
    ['until', '<='],
  ]
  const conditions = bounds.flatMap(([name, comparison]) =>
    /^\d{1,15}$/.test(search.get(name) ?? '') ? [`block_number ${comparison} ${search.get(name)}`] : [],
  )
  return {
    query: [search.get('q') ?? '', ...words].join(' ').trim() || 'all',
    filter: conditions.join(' AND '),
    limit: 25,
    tokens: 20_000,
  }
}
