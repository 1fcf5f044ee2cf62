import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { createStatements } from '../../../../vector/rows/statements.ts'

test('a text is prepared once while it is used, and once more after many others', () => {
  using database = new DatabaseSync(':memory:')
  const prepare = createStatements(database)
  const often = prepare('SELECT 1 AS one')
  const once = prepare('SELECT 2 AS two')
  for (let number = 0; number < 200; number += 1) {
    expect(prepare(`SELECT ${number} AS number`).get()).toEqual({ number })
    expect(prepare('SELECT 1 AS one')).toBe(often)
  }
  const again = prepare('SELECT 2 AS two')
  expect(again).not.toBe(once)
  expect(again.get()).toEqual({ two: 2 })
})
