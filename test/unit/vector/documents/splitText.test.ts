import fc from 'fast-check'
import { expect, test } from 'vitest'
import { splitText } from '../../../../vector/documents/splitText.ts'
import { searchWords, singular } from '../../../../vector/text/searchWords.ts'

const texts = fc.array(
  fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 2_000 }),
    fc.constantFrom('\n', '\n\n', '\r\n', ' ', 'a'.repeat(950), '🙂'.repeat(500)),
  ),
  { maxLength: 12 },
)

test('property: nothing is lost but blanks, no part is too long, no character is torn', () => {
  const solid = (text: string) => text.replace(/\s+/g, '')
  fc.assert(
    fc.property(texts, (pieces) => {
      const text = pieces.join('')
      const parts = splitText(text)
      expect(solid(parts.join(''))).toBe(solid(text))
      for (const part of parts) {
        expect(part.length).toBeLessThanOrEqual(900)
        expect(part).toBe(part.trim())
        expect(part.isWellFormed()).toBe(text.isWellFormed())
      }
    }),
    { numRuns: 300 },
  )
})

test('paragraphs stay together, and are cut between lines before they are cut between words', () => {
  const paragraph = `${'word '.repeat(100)}end.`
  expect(splitText(`${paragraph}\n\n${paragraph}`)).toEqual([paragraph, paragraph])
  const lines = Array.from({ length: 40 }, (_, index) => `line ${index} ${'x'.repeat(40)}`)
  const cut = splitText(lines.join('\n'))
  expect(cut.length).toBeGreaterThan(1)
  expect(cut.flatMap((part) => part.split('\n'))).toEqual(lines)
})

test('words are lower case, names also in parts, digits whole, plurals singular', () => {
  expect(searchWords('swapExactTokensForETH(uint256 amountIn)')).toEqual([
    'swapexacttokensforeth',
    'swap',
    'exact',
    'token',
    'for',
    'eth',
    'uint256',
    'amountin',
    'amount',
    'in',
  ])
  expect(searchWords('0xA9059cbb of block_numbers')).toEqual([
    '0xa9059cbb',
    'of',
    'blocknumbers',
    'block',
    'number',
  ])
  expect(['transfers', 'address', 'gas', '0xabcs', 'runs'].map(singular)).toEqual([
    'transfer',
    'address',
    'gas',
    '0xabcs',
    'run',
  ])
})
