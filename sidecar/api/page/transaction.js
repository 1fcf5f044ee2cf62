import { ask } from './doors.js'
import { bar, element, stateChip } from './element.js'
import { routes } from './results.js'
import { wordingView } from './wording.js'

/** The decision on a transaction, and why: facts first, then a model's wording of them if one is configured. */
export async function transactionView(hash, signal) {
  const [explanation, decisions] = await Promise.all([
    ask(`explain/${hash}`, {}, signal),
    ask(`decisions/${hash}`, {}, signal),
  ])
  const { decision, parts, context, outcomes, history, facts, row, warnings, block, state } = explanation
  return {
    title: `tx ${hash.slice(0, 10)}…`,
    said: `${routes[decision.route] ?? decision.route}, block ${block.number}`,
    nodes: [
      element('h1', { tabindex: -1 }, routes[decision.route] ?? decision.route),
      element(
        'p',
        { class: 'lead' },
        `By the rule “${decision.rule}”, with confidence `,
        bar('confidence', decision.confidence),
        stateChip(state),
      ),
      element('p', {}, decision.reason),
      element(
        'dl',
        { class: 'facts' },
        pair('Transaction', element('code', {}, hash)),
        pair(
          'Block',
          `${block.number}, place ${explanation.transactionIndex}`,
          element('code', {}, block.hash),
        ),
        pair('Model version', element('code', {}, decision.modelVersion)),
        outcomes.map(({ item, status, reason, computeUnits }) =>
          pair(
            `SVM item ${item}`,
            `${status}${reason ? ` (${reason})` : ''}${computeUnits > 0 ? `, ${computeUnits} compute units` : ''}`,
          ),
        ),
      ),
      row === null
        ? null
        : element(
            'section',
            {},
            element('h2', {}, 'What is kept of it'),
            element('blockquote', { class: 'chain' }, row.text),
            element('p', {}, element('a', { href: `#/row/${encodeURIComponent(row.id)}` }, 'Rows like it')),
          ),
      element(
        'section',
        {},
        element('h2', {}, 'Parts of the score'),
        element(
          'ul',
          { class: 'parts' },
          parts.map(({ name, value, words }) =>
            element(
              'li',
              {},
              element('b', {}, name),
              bar(name, value),
              element('span', {}, words.replace(/^[^:]*: ?/, '')),
            ),
          ),
        ),
      ),
      context.length === 0
        ? null
        : element(
            'section',
            {},
            element('h2', {}, 'Context rows that entered it'),
            element(
              'ol',
              { class: 'plain' },
              context.map(({ citation, contract, selector, call }) => {
                const search = new URLSearchParams({ q: `to:${contract} selector:${selector}` })
                return element(
                  'li',
                  {},
                  call === null ? null : `“${call}”`,
                  element('span', { class: 'citation' }, element('a', { href: `#?${search}` }, citation)),
                )
              }),
            ),
          ),
      history.length < 2
        ? null
        : element(
            'section',
            {},
            element('h2', {}, 'Reorgs moved it'),
            element(
              'ol',
              { class: 'plain' },
              history.map((each) =>
                element(
                  'li',
                  {},
                  `Block ${each.block.number} `,
                  stateChip(each.state),
                  ' ',
                  element('code', {}, each.block.hash),
                  ` ${each.route}`,
                ),
              ),
            ),
          ),
      wordingView(hash, explanation.model, facts, signal),
      factList(facts),
      warnings.map((warning) => element('p', { class: 'quiet' }, warning)),
      element(
        'details',
        {},
        element('summary', {}, 'As the decisions door gives it'),
        element('pre', { tabindex: 0 }, JSON.stringify(decisions, null, 2)),
      ),
    ],
  }
}

/** The numbered facts, as a model is given them; closed, as the page above says the same. */
function factList(facts) {
  const [first] = facts
  return element(
    'details',
    { id: 'facts' },
    element('summary', {}, `The ${facts.length} facts, numbered`),
    element(
      'ol',
      { class: 'numbered' },
      facts.map(({ number, text, citation }) =>
        element(
          'li',
          { id: `fact-${number}`, tabindex: -1 },
          // The marks are for models: here it is text in any case.
          text.replaceAll(/<\/?untrusted-data>/g, '”'),
          citation === first.citation && number > 1 ? null : element('span', { class: 'citation' }, citation),
        ),
      ),
    ),
  )
}

function pair(name, ...values) {
  return [
    element('dt', {}, name),
    element(
      'dd',
      {},
      values.flatMap((value, i) => (i > 0 ? [' ', value] : [value])),
    ),
  ]
}
