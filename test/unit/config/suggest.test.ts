import { expect, test } from 'vitest'
import { suggest } from '../../../config/suggest.ts'

const names = ['learn.lag', 'learn.half_life', 'vector.rows_per_block', 'context.epoch']

test.each([
  { given: 'learn.lga', meant: 'learn.lag', why: 'neighbours swapped' },
  { given: 'learn.halflife', meant: 'learn.half_life', why: 'separators do not count' },
  { given: 'VECTOR_ROWSPERBLOCK', meant: 'vector.rows_per_block', why: 'case does not count' },
  { given: 'context.epochs', meant: 'context.epoch', why: 'a letter too many' },
  { given: 'contex.epch', meant: 'context.epoch', why: 'two letters missing' },
])('$given means $meant: $why', ({ given, meant }) => {
  expect(suggest(given, names)).toBe(meant)
})

test.each(['entirely.different', '', 'xy'])('%j means nothing near', (given) => {
  expect(suggest(given, names)).toBeUndefined()
})
