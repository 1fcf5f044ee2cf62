import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { EmbedderError } from '../../../../vector/embed/embedderError.ts'
import { readEmbeddings } from '../../../../vector/embed/readEmbeddings.ts'

const read = (answer: unknown, count: number, dimensions: number) =>
  readEmbeddings(answer, count, dimensions, 'here')

/** Vectors of one length, none of them zero. */
const vectors = fc.integer({ min: 1, max: 8 }).chain((dimensions) =>
  fc.array(
    fc
      .array(fc.float({ noNaN: true, noDefaultInfinity: true }), {
        minLength: dimensions,
        maxLength: dimensions,
      })
      .filter((vector) => vector.some((value) => value !== 0)),
    { minLength: 1, maxLength: 6 },
  ),
)

describe('readEmbeddings', () => {
  test('puts vectors in the order of the texts, whatever order they come in', () => {
    fc.assert(
      fc.property(vectors, fc.nat(), (expected, seed) => {
        const data = expected.map((vector, index) => ({ object: 'embedding', index, embedding: vector }))
        data.sort((a, b) => ((a.index * 7919 + seed) % 13) - ((b.index * 7919 + seed) % 13))
        const found = read(
          { object: 'list', data, model: 'm', usage: {} },
          expected.length,
          expected[0]!.length,
        )
        expect(found).toEqual(expected.map((vector) => Float32Array.from(vector)))
      }),
    )
  })

  test('any other JSON is a typed error, and no text of it passes unescaped', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.integer({ min: 1, max: 3 }), (answer, count) => {
        try {
          read(answer, count, 4)
        } catch (error) {
          expect(error).toBeInstanceOf(EmbedderError)
          expect((error as EmbedderError).message).not.toMatch(/\p{Cc}/u)
          return
        }
        // fast-check does not come upon `{ data: [{ index, embedding }] }`.
        expect.unreachable()
      }),
    )
  })

  test.each([
    ['no data', {}, 'BAD_ANSWER'],
    ['an error told with status 200', { error: { message: 'no such model' } }, 'BAD_ANSWER'],
    ['one too few', { data: [] }, 'BAD_ANSWER'],
    ['one too many', { data: [one(0), one(1)] }, 'BAD_ANSWER'],
    ['an index past the end', { data: [one(1)] }, 'BAD_ANSWER'],
    ['no index', { data: [{ embedding: [1, 2] }] }, 'BAD_ANSWER'],
    ['an index in text', { data: [{ index: '0', embedding: [1, 2] }] }, 'BAD_ANSWER'],
    ['too short a vector', { data: [{ index: 0, embedding: [1] }] }, 'WRONG_DIMENSIONS'],
    ['too long a vector', { data: [{ index: 0, embedding: [1, 2, 3] }] }, 'WRONG_DIMENSIONS'],
    ['null among the numbers, as JSON has NaN', { data: [{ index: 0, embedding: [1, null] }] }, 'BAD_ANSWER'],
    ['a number beyond 32 bits', { data: [{ index: 0, embedding: [1, 1e300] }] }, 'BAD_ANSWER'],
    ['zeros only', { data: [{ index: 0, embedding: [0, 0] }] }, 'BAD_ANSWER'],
    ['numbers as text', { data: [{ index: 0, embedding: '[0.1, 2]' }] }, 'BAD_ANSWER'],
  ])('refuses %s', (_, answer, code) => {
    expect(() => read(answer, 1, 2)).toThrow(expect.objectContaining({ code, mayPass: false }))
  })

  test('refuses an index that comes twice', () => {
    expect(() => read({ data: [one(0), one(0)] }, 2, 2)).toThrow('every index once')
  })
})

function one(index: number) {
  return { index, embedding: [1, 2] }
}
