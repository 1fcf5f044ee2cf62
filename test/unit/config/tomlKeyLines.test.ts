import fc from 'fast-check'
import { parse } from 'smol-toml'
import { expect, test } from 'vitest'
import { tomlKeyLines } from '../../../config/tomlKeyLines.ts'

// Values that span lines, or hold what looks like a key, a header, a comment or an end.
const values = [
  '1',
  '"plain"',
  '"a # no comment"',
  '"quote \\" and # more"',
  "'raw \\'",
  '"""\nx = 1\n[table]\n"""',
  '"""ends in a quote""""',
  '"""escaped \\""" still inside\n"""',
  "'''\ny = 2 # '' \n'''",
  '[\n  1, # a ] bracket\n  2,\n]',
  '[\n  ["]"],\n  ["x = 1"],\n]',
  '{ inner = "}", other = [1, 2] }',
  '2026-01-01T00:00:00Z',
]
const filler = fc.constantFrom('', '# a comment with "quotes', '   ', "# key = '''")
const entry = fc.record({
  before: fc.array(filler, { maxLength: 3 }),
  value: fc.constantFrom(...values),
  comment: fc.constantFrom('', ' # it\'s a "comment'),
})
const table = fc.record({
  before: fc.array(filler, { maxLength: 2 }),
  entries: fc.array(entry, { maxLength: 5 }),
})

test('finds the line of every header and key, whatever the values hold', () => {
  fc.assert(
    fc.property(fc.array(table, { maxLength: 5 }), fc.constantFrom('\n', '\r\n'), (tables, newline) => {
      const lines: string[] = []
      const expected = new Map<string, number>()
      for (const [index, { before, entries }] of tables.entries()) {
        lines.push(...before, `[table${index}]`)
        expected.set(`table${index}`, lines.length)
        for (const [position, { before, value, comment }] of entries.entries()) {
          lines.push(...before)
          const [first, ...rest] = `key_${position} = ${value}${comment}`.split('\n')
          lines.push(first!)
          expected.set(`table${index}.key_${position}`, lines.length)
          lines.push(...rest)
        }
      }
      const text = lines.join(newline)
      expect(() => parse(text), 'the generated text is TOML').not.toThrow()
      expect(new Map(tomlKeyLines(text))).toEqual(expected)
    }),
    { numRuns: 300 },
  )
})

test.each([
  { text: 'a.b = 1', keys: { 'a.b': 1 } },
  { text: '"a" . \'b\' = 1', keys: { 'a.b': 1 } },
  { text: '\n[ a . b ] # x\nc = 1', keys: { 'a.b': 2, 'a.b.c': 3 } },
  { text: '[[a]]\nb = 1\n[[a]]\nb = 2', keys: { a: 1, 'a.b': 2 } },
  { text: '', keys: {} },
])('reads $text', ({ text, keys }) => {
  expect(Object.fromEntries(tomlKeyLines(text))).toEqual(keys)
})
