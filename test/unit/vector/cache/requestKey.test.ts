import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { requestKey, requestOfKey } from '../../../../vector/cache/requestKey.ts'
import type { SearchRequest } from '../../../../vector/types.ts'

const request: fc.Arbitrary<SearchRequest> = fc.record(
  {
    query: fc.string({ unit: fc.constantFrom('a', 'B', ' ', '\n', ',', '"', 'é') }),
    limit: fc.integer({ min: 1, max: 1000 }),
    tokens: fc.integer({ min: 1, max: 9000 }),
    filter: fc.option(fc.constantFrom('', '  ', 'svm', 'to = "a  b"'), { nil: undefined }),
    asOf: fc.option(fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }), { nil: undefined }),
  },
  { requiredKeys: ['query', 'limit', 'tokens'] },
)
const words = (text: string) => text.split(/\s+/).filter((word) => word !== '')

describe('requestKey', () => {
  test('the same key means the same words, limits and conditions, and the other way round', () => {
    fc.assert(
      fc.property(request, request, (a, b) => {
        const meaning = ({ query, filter, ...rest }: SearchRequest) =>
          [
            words(query).join(' '),
            filter?.trim() ? filter : '',
            rest.limit,
            rest.tokens,
            rest.asOf ?? '',
          ].join('\n')
        expect(requestKey(a) === requestKey(b)).toBe(meaning(a) === meaning(b))
        expect(requestKey({ ...b, ...a })).toBe(requestKey({ ...a, ...b, ...a }))
      }),
    )
  })

  test('a key gives a request of the same key', () => {
    fc.assert(
      fc.property(request, (request) => {
        const again = requestOfKey(requestKey(request))
        expect(requestKey(again)).toBe(requestKey(request))
        expect(again.asOf).toBe(request.asOf)
        expect(words(again.query)).toEqual(words(request.query))
      }),
    )
  })

  test('fields that are not known here tell requests apart, in whatever order they come', () => {
    const more = { query: 'a', limit: 1, tokens: 2, hops: 2, kinds: ['x', 'y'] } as SearchRequest
    const turned = { kinds: ['x', 'y'], hops: 2, tokens: 2, limit: 1, query: ' a' } as SearchRequest
    expect(requestKey(turned)).toBe(requestKey(more))
    expect(requestKey({ ...more, hops: 3 } as SearchRequest)).not.toBe(requestKey(more))
    expect(requestKey({ ...more, asOf: 5n })).not.toBe(requestKey({ ...more, asOf: '5' } as never))
  })

  test('a question that is too long keeps its blanks: without them it would not be', () => {
    const long = `a${' '.repeat(9000)}b`
    expect(requestKey({ query: long, limit: 1, tokens: 1 })).not.toBe(
      requestKey({ query: 'a b', limit: 1, tokens: 1 }),
    )
  })
})
