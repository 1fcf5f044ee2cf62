import fc from 'fast-check'
import { expect, test } from 'vitest'
import { escapeText } from '../../../../vector/query/escapeText.ts'

/** Character by character. */
function escaped(text: string, limit: number): string {
  const characters = Array.from(text)
  const shown = characters
    .slice(0, limit)
    .map((character) =>
      /[\p{C}\p{Zl}\p{Zp}«»]/u.test(character) ? `\\u{${character.codePointAt(0)!.toString(16)}}` : character,
    )
  return shown.join('') + (characters.length > limit ? '…' : '')
}

test('what is unsafe is written out, whatever the text', () => {
  const piece = fc.constantFrom(
    ...[
      'a',
      'swap',
      ' ',
      '\n',
      '\0',
      '«',
      '»',
      '\u202e',
      '\u200b',
      ' ',
      'ü',
      '😀',
      '\ud83d',
      '\ude00',
      '\uffff',
    ],
  )
  const texts = fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join(''))
  fc.assert(
    fc.property(texts, fc.integer({ min: 0, max: 20 }), (text, limit) => {
      expect(escapeText(text, limit)).toBe(escaped(text, limit))
    }),
    { numRuns: 2000 },
  )
})
