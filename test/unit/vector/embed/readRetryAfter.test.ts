import { expect, test } from 'vitest'
import { readRetryAfter } from '../../../../vector/embed/readRetryAfter.ts'

const now = Date.parse('2026-11-21T10:00:00Z')

test.each([
  ['120', 120_000],
  [' 0 ', 0],
  ['1.5', 1500],
  ['Sat, 21 Nov 2026 10:00:30 GMT', 30_000],
  ['Sat, 21 Nov 2026 09:00:00 GMT', 0],
  ['-3', undefined],
  ['2026', 2_026_000],
  ['99999999999', undefined],
  ['soon', undefined],
  ['', undefined],
  [null, undefined],
])('%j is a wait of %j ms', (value, expected) => {
  expect(readRetryAfter(value, now)).toBe(expected)
})
