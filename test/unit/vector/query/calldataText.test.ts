import { describe, expect, test } from 'vitest'
import { calldataText } from '../../../../vector/query/calldataText.ts'

const hex = (text: string) => Buffer.from(text).toString('hex')

describe('readable text inside calldata', () => {
  test.each([
    ['a message', hex('hello from the other side'), 'hello from the other side'],
    [
      'text between words of an ABI',
      `a9059cbb${'00'.repeat(31)}20${hex('Größe zählt, 送金 😀')}${'00'.repeat(9)}`,
      'Größe zählt, 送金 😀',
    ],
    [
      'two runs',
      `${hex('the first of two')}00${hex('the second of two')}`,
      'the first of two … the second of two',
    ],
    [
      'what no one sees stays, for whoever escapes it',
      hex('turn \u202eme around\u200b'),
      'turn \u202eme around\u200b',
    ],
    ['too short to be meant', hex('hello world'), ''],
    ['spaces alone', hex(' '.repeat(40)), ''],
    ['a payload in base64', hex('SVMAUSBE3Do8tNR5BWM40ff6Uf/CnLOq1apNPsKwmVEJ'), ''],
    ['digits of a call', `a9059cbb${'00'.repeat(12)}${'cd'.repeat(20)}${'00'.repeat(31)}05`, ''],
    ['nothing', '', ''],
  ])('%s', (_, head, text) => {
    expect(calldataText(head)).toBe(text)
  })
})
