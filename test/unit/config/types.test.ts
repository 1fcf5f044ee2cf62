import { describe, expect, test } from 'vitest'
import { boolean } from '../../../config/types/boolean.ts'
import { bytes } from '../../../config/types/bytes.ts'
import { choice } from '../../../config/types/choice.ts'
import { decimal } from '../../../config/types/decimal.ts'
import { duration } from '../../../config/types/duration.ts'
import { evmAddress } from '../../../config/types/evmAddress.ts'
import { hostPort } from '../../../config/types/hostPort.ts'
import { integer } from '../../../config/types/integer.ts'
import { programs } from '../../../config/types/programs.ts'
import { publicKeys } from '../../../config/types/publicKeys.ts'
import { startBlock } from '../../../config/types/startBlock.ts'
import { identifier, modelName, path } from '../../../config/types/text.ts'
import { url } from '../../../config/types/url.ts'
import type { ValueType } from '../../../config/types/valueType.ts'

const system = '11111111111111111111111111111111'
const token = 'TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA'

/** For each type: texts with the value they give, typed values likewise, and what is refused. */
const cases: readonly {
  name: string
  type: ValueType<unknown>
  texts: readonly (readonly [string, unknown])[]
  typed?: readonly (readonly [unknown, unknown])[]
  bad: readonly unknown[]
}[] = [
  {
    name: 'integer',
    type: integer({ min: 1, max: 100 }),
    texts: [
      ['1', 1],
      ['100', 100],
      ['007', 7],
    ],
    typed: [[5, 5]],
    bad: [
      '0',
      '101',
      '1.5',
      '-1',
      '1e1',
      '0x1',
      'one',
      '',
      0,
      101,
      1.5,
      '5 blocks',
      true,
      [5],
      Number.NaN,
      null,
    ],
  },
  {
    name: 'decimal',
    type: decimal({ min: 0, max: 1 }),
    texts: [
      ['0', 0],
      ['1', 1],
      ['0.25', 0.25],
      ['1e-7', 1e-7],
    ],
    typed: [
      [-0, 0],
      [0.5, 0.5],
    ],
    bad: ['1.1', '-0.1', 'nan', '.5', '50%', '', Number.NaN, Number.POSITIVE_INFINITY, 1.1, true],
  },
  {
    name: 'boolean',
    type: boolean(),
    texts: [
      ['true', true],
      ['false', false],
    ],
    typed: [[true, true]],
    bad: ['yes', '1', 'TRUE', '', 1, 0, null],
  },
  {
    name: 'choice',
    type: choice(['litesvm', 'rpc']),
    texts: [
      ['litesvm', 'litesvm'],
      ['RPC', 'rpc'],
    ],
    bad: ['lite', 'cluster', '', 'constructor', 1, ['rpc']],
  },
  {
    name: 'identifier',
    type: identifier(),
    texts: [['a-1.b_C', 'a-1.b_C']],
    bad: ['', 'a b', 'ä', 'a/b', 'x'.repeat(65), 3],
  },
  {
    name: 'model name',
    type: modelName(),
    texts: [['org/model:3b@v1.2', 'org/model:3b@v1.2']],
    bad: ['', 'a b', 'ä', 'a\nb', 'x'.repeat(201), 3],
  },
  {
    name: 'path',
    type: path(),
    texts: [
      ['./a b/c', './a b/c'],
      ['/tmp/ü', '/tmp/ü'],
    ],
    bad: ['', '  ', 'a\nb', 'a\0b', '\ud800', 3, ['a']],
  },
  {
    name: 'duration',
    type: duration({ min: 10, max: 3_600_000 }),
    texts: [
      ['200ms', 200],
      ['5s', 5000],
      ['1.5m', 90_000],
      ['1h', 3_600_000],
      ['200', 200],
      ['5 s', 5000],
      ['1.001s', 1001],
    ],
    typed: [
      [250, 250],
      ['250ms', 250],
    ],
    bad: ['9ms', '61m', '5sec', '-5s', '1d', 's', '', '5s 2ms', '10.5ms', 10.5, 9, Number.NaN, true],
  },
  {
    name: 'bytes',
    type: bytes({ min: 1, max: 2 ** 31 }),
    texts: [
      ['64MiB', 67_108_864],
      ['64MB', 64_000_000],
      ['1gib', 2 ** 30],
      ['1 KiB', 1024],
      ['12', 12],
      ['12B', 12],
      ['1.001MB', 1_001_000],
    ],
    typed: [
      [4096, 4096],
      ['2KiB', 2048],
    ],
    bad: ['0', '3GiB', '64M', '64Mib/s', '-1', '1.5', '0.1B', '', 0, 1.5, Number.POSITIVE_INFINITY, false],
  },
  {
    name: 'hostPort',
    type: hostPort(),
    texts: [
      ['127.0.0.1:8080', { host: '127.0.0.1', port: 8080 }],
      ['[::1]:0', { host: '::1', port: 0 }],
      ['a-b.example:65535', { host: 'a-b.example', port: 65_535 }],
    ],
    bad: [
      '8080',
      ':8080',
      '127.0.0.1',
      '127.0.0.1:65536',
      '256.0.0.1:1',
      '::1:80',
      '[1.2.3.4]:80',
      'a b:80',
      'a..b:1',
      '-a:1',
      'http://a:80',
      'a:-1',
      '',
      8080,
    ],
  },
  {
    name: 'url',
    type: url(['grpc', 'grpcs', 'http', 'wss']),
    texts: [
      ['grpc://127.0.0.1:9100', 'grpc://127.0.0.1:9100'],
      ['grpcs://h:1/', 'grpcs://h:1/'],
      ['http://node.example', 'http://node.example'],
      ['wss://a:b@node.example/key?x=1', 'wss://a:b@node.example/key?x=1'],
    ],
    bad: [
      'grpc://127.0.0.1',
      'grpc://h:1/path',
      'grpc://h:1?x',
      'https://h',
      'ftp://h',
      'h:9100',
      'http:h',
      'http://',
      'grpc://',
      'http://a b',
      '',
      1,
    ],
  },
  {
    name: 'evmAddress',
    type: evmAddress(),
    texts: [['0x000000000000000000000000000000000053564D', '0x000000000000000000000000000000000053564d']],
    bad: [
      '0x53564d',
      '000000000000000000000000000000000053564d',
      `0x${'g'.repeat(40)}`,
      `0x${'0'.repeat(41)}`,
      '',
      0,
    ],
  },
  {
    name: 'publicKeys',
    type: publicKeys(),
    texts: [
      ['', []],
      [`${token}, ${system}`, [system, token]],
      [`${system},${system}`, [system]],
    ],
    typed: [
      [
        [token, system],
        [system, token],
      ],
      [[], []],
    ],
    // One digit less or more than 32 bytes need, and the digits that base58 leaves out.
    bad: [
      system.slice(1),
      `${system}1`,
      token.slice(1),
      `${token}1`,
      `0${token.slice(1)}`,
      `l${token.slice(1)}`,
      `${system},`,
      system.split(''),
      [1],
      { a: system },
      'z'.repeat(44),
    ],
  },
  {
    name: 'programs',
    type: programs(),
    texts: [
      ['', []],
      [
        `${token}=a.so,${system}=b=c.so`,
        [
          { id: system, file: 'b=c.so' },
          { id: token, file: 'a.so' },
        ],
      ],
    ],
    typed: [[[{ file: 'a.so', id: token }], [{ id: token, file: 'a.so' }]]],
    bad: [
      'a.so',
      `${token}=`,
      `${token}=a,${token}=b`,
      [{ id: token }],
      [{ file: 'a.so' }],
      [{ id: token, file: 'a', more: 1 }],
      [null],
      [token],
      { id: token, file: 'a' },
    ],
  },
  {
    name: 'startBlock',
    type: startBlock(),
    texts: [
      ['genesis', 'genesis'],
      ['head', 'head'],
      ['0', 0n],
      ['21000000', 21_000_000n],
    ],
    typed: [[7, 7n]],
    bad: ['latest', '-1', '1.5', '', '0x10', -1, 1.5, 2 ** 53, '99999999999999999999', true],
  },
]

describe.each(cases)('$name', ({ type, texts, typed = [], bad }) => {
  test.each(texts)('the text %j', (text, value) => {
    expect(type.parse(type.fromText(text))).toEqual({ value })
  })

  if (typed.length > 0) {
    test.each(typed)('the value %j', (raw, value) => {
      expect(type.parse(raw)).toEqual({ value })
    })
  }

  test.each(bad.map((raw) => [raw]))('%j is refused', (raw) => {
    const parsed = type.parse(typeof raw === 'string' ? type.fromText(raw) : raw)
    expect(parsed).toEqual({ expected: expect.stringContaining(type.expected) })
  })

  test('what is written reads as the same value', () => {
    for (const [text, value] of texts) {
      expect(type.parse(type.write(value)), text).toEqual({ value })
      expect(type.parse(type.plain(value)), text).toEqual({ value })
    }
  })
})

test.each([
  [duration({ min: 0, max: 1e9 }), 90_000, '90s'],
  [duration({ min: 0, max: 1e9 }), 60_000, '1m'],
  [duration({ min: 0, max: 1e9 }), 0, '0ms'],
  [bytes({ min: 0, max: 1e12 }), 1536, 1536],
  [bytes({ min: 0, max: 1e12 }), 64 * 1024 * 1024, '64MiB'],
  [hostPort(), { host: '::1', port: 1 }, '[::1]:1'],
] as const)('%# is written in the largest unit that divides', (type, value, written) => {
  expect((type as ValueType<unknown>).write(value)).toBe(written)
})

test('a bad entry of a list is named by its place', () => {
  expect(
    programs().parse([
      { id: token, file: 'a' },
      { id: 'x', file: 'b' },
    ]),
  ).toEqual({
    expected: expect.stringContaining('entry 2 has no id of 32 bytes in base58'),
  })
  expect(publicKeys().parse([system, 'x'])).toEqual({
    expected: expect.stringContaining('entry 2 is not one'),
  })
})
