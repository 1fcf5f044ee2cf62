import fc from 'fast-check'
import { expect, test } from 'vitest'
import { estimateTokens, planBatches } from '../../../../vector/embed/planBatches.ts'

const texts = fc.array(fc.nat({ max: 300 }).map((length) => 'x'.repeat(length)))

test('batches hold every text once, in order, within both limits, and none could take the next text too', () => {
  fc.assert(
    fc.property(
      texts,
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 100, max: 250 }),
      (texts, batchTexts, batchTokens) => {
        const batches = planBatches(texts, { batchTexts, batchTokens })
        const tokens = (from: number, to: number) =>
          texts.slice(from, to).reduce((sum, text) => sum + estimateTokens(text), 0)
        let end = 0
        for (const { from, to } of batches) {
          expect(from).toBe(end)
          expect(to).toBeGreaterThan(from)
          expect(to - from).toBeLessThanOrEqual(batchTexts)
          expect(tokens(from, to)).toBeLessThanOrEqual(batchTokens)
          const isFull = to - from === batchTexts || to === texts.length || tokens(from, to + 1) > batchTokens
          expect(isFull, `batch ${from} to ${to}`).toBe(true)
          end = to
        }
        expect(end).toBe(texts.length)
      },
    ),
  )
})

test('a text that is too long by itself is refused by its place', () => {
  expect(() => planBatches(['a', 'x'.repeat(31)], { batchTexts: 5, batchTokens: 10 })).toThrow(
    expect.objectContaining({ code: 'TEXT_TOO_LONG', facts: { index: 1, tokens: 11, batchTokens: 10 } }),
  )
})
