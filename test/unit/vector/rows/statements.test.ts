import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { createStatements } from '../../../../vector/rows/statements.ts'

test('a text is prepared once while it is used, and once more after many others', () => {
  using database = new DatabaseSync(':memory:')
  const { of: prepare } = createStatements(database)
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

test('of questions that differ in values alone one text is prepared, and each gets its own', () => {
  const database = new DatabaseSync(':memory:')
  database.exec('CREATE TABLE things("name" TEXT, "size" INTEGER, "x" REAL)')
  const names = ["it's", 'a?b', "'", '', 'x', 'zwölf', 'a\0b']
  const add = database.prepare('INSERT INTO things VALUES (?, ?, ?)')
  for (const [size, name] of names.entries()) add.run(name, size, size / 2)
  const { ofQuestion } = createStatements(database)
  const quoted = (name: string) => `'${name.replaceAll("'", "''")}'`.replaceAll('\0', "' || char(0) || '")
  const used = new Set<unknown>()
  for (const [size, name] of names.entries()) {
    for (const [where, given] of [
      [`"name" = ${quoted(name)} AND "size" <= ${size} AND "size" >= ?`, [size]],
      [
        `"x" >= ${size / 2} AND "x" < ${size / 2 + 0.5} AND ? = 1 AND "name" IN (${quoted(name)}, ?)`,
        [1, name],
      ],
      [`hex("name") = hex(X'${Buffer.from(name).toString('hex')}') AND "size" > -1 AND "size" = ?`, [size]],
    ] as const) {
      const { statement, values } = ofQuestion(`SELECT "name" FROM things WHERE ${where}`, given)
      expect(statement.all(...values)).toEqual([{ name }])
      if (where.startsWith('"name"') && !name.includes('\0')) used.add(statement)
    }
  }
  expect(used.size).toBe(1)
  database.close()
})
