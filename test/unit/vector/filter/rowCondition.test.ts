import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compileFilter } from '../../../../vector/filter/compileFilter.ts'
import { parseFilter } from '../../../../vector/filter/parseFilter.ts'
import { type RowTags, rowCondition } from '../../../../vector/filter/rowCondition.ts'

const outcomes = ['succeeded', 'failed', "it's odd", 'Failed', '']
const routes = ['executeOnEvm', 'executeOnSvm']
const rows: readonly (RowTags & { readonly block: number })[] = outcomes.flatMap((outcome, at) =>
  routes.flatMap((route) =>
    [true, false].flatMap((svm) => [at, at + 3, 9].map((block) => ({ outcome, route, svm, block }))),
  ),
)
const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`
const outcome = fc.constantFrom(...outcomes, 'never').map(quoted)
const route = fc.constantFrom(...routes, 'nowhere').map(quoted)
const number = fc.integer({ min: 0, max: 10 })
const equality = fc.constantFrom('=', '<>', '!=')
const isIn = fc.constantFrom('IN', 'NOT IN')
const several = (value: fc.Arbitrary<string | number>) =>
  fc.array(value, { minLength: 1, maxLength: 3 }).map((values) => `(${values.join(', ')})`)
const words = (...parts: readonly (fc.Arbitrary<string | number> | string)[]) =>
  fc
    .tuple(...parts.map((part) => (typeof part === 'string' ? fc.constant(part) : part)))
    .map((all) => all.join(' '))

const predicate = fc.oneof(
  words('outcome', equality, outcome),
  words('outcome', isIn, several(outcome)),
  words('decision', equality, route),
  words('route', isIn, several(route)),
  fc.constantFrom('svm', 'svm = FALSE', 'SVM <> true', 'svm IN (true, false)', 'svm NOT IN (TRUE)'),
  words('block', fc.constantFrom('=', '<>', '<', '<=', '>', '>='), number),
  words('block', isIn, several(number)),
  words('block', fc.constantFrom('BETWEEN', 'NOT BETWEEN'), number, 'AND', number),
  words('finality', equality, fc.constantFrom("'finalized'", "'head'")),
  words('kind', equality, fc.constantFrom("'transaction'", "'pattern'")),
)
const { filter } = fc.letrec<{ filter: string }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 3 },
    predicate,
    words('(', tie('filter'), fc.constantFrom('AND', 'OR'), tie('filter'), ')'),
    words('NOT (', tie('filter'), ')'),
  ),
}))

describe('a filter as a function', () => {
  test('holds where its SQL does', () => {
    const database = new DatabaseSync(':memory:')
    database.exec(
      'CREATE TABLE transactions("at" INTEGER, "outcome" TEXT, "route" TEXT, "svm" INTEGER, "blockNumber" INTEGER)',
    )
    const insert = database.prepare('INSERT INTO transactions VALUES (?, ?, ?, ?, ?)')
    for (const [at, { outcome, route, svm, block }] of rows.entries())
      insert.run(at, outcome, route, Number(svm), block)
    fc.assert(
      fc.property(
        filter,
        fc.option(fc.bigInt({ min: 0n, max: 9n }), { nil: undefined }),
        (text, finalized) => {
          const expression = parseFilter(text)
          const sql = compileFilter(expression, 'transactions', finalized)
          const expected = database.prepare(`SELECT "at" FROM transactions WHERE ${sql}`).all()
          const { fits, isOfTags } = rowCondition(expression, finalized)!
          const found = [...rows.keys()].filter((at) => fits(rows[at]!, rows[at]!.block))
          expect(found).toEqual(expected.map(({ at }) => at))
          if (isOfTags) expect([...rows.keys()].filter((at) => fits(rows[at]!, 0))).toEqual(found)
        },
      ),
      { numRuns: 500 },
    )
    database.close()
  })

  test.each(['to = 0x01', "outcome LIKE 'f%'", "outcome > 'a'", 'svm AND value > 3', 'NOT gas > 3'])(
    'is none where more has to be known of a row: %s',
    (text) => {
      expect(rowCondition(parseFilter(text), undefined)).toBeUndefined()
    },
  )
})
