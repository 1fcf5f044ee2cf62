import { expect, test } from 'vitest'
import { resolveStart } from '../../../sidecar/watermark/resolveStart.ts'

test('resolves a start to the first block to apply, and head only once', () => {
  expect(resolveStart('genesis', 100n)).toBe(1n)
  expect(resolveStart('head', 100n)).toBe(101n)
  expect(resolveStart('head', 200n, 101n)).toBe(101n)
  expect(resolveStart(42n, 100n)).toBe(42n)
  expect(
    resolveStart(42n, 100n, 101n),
    'a number is not overruled: the identity check names the difference',
  ).toBe(42n)
})
