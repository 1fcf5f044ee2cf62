import { Hono } from 'hono'
import { describe, expect, test } from 'vitest'
import { mountCache } from '../../../sidecar/api/mountCache.ts'
import type { CacheView, ContextRequest, SidecarView } from '../../../sidecar/api/view.ts'

function doors(cache: Partial<CacheView> | undefined) {
  const app = new Hono()
  mountCache(app, { cache } as SidecarView)
  const post = (path: string, body: unknown, type = 'application/json') =>
    app.request(`/context/cache/${path}`, {
      method: 'POST',
      headers: { 'content-type': type },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
  return { app, post }
}

const codeOf = async (response: Response) => [
  response.status,
  ((await response.json()) as { error: { code: string } }).error.code,
]

describe('the doors of remembered answers', () => {
  test('forget what fits a pattern', async () => {
    const patterns: string[] = []
    const { post } = doors({
      invalidateCache(pattern) {
        patterns.push(pattern)
        return 7
      },
    })
    const response = await post('invalidate', { pattern: 'failed*' })
    expect([response.status, await response.json()]).toEqual([200, { invalidated: 7 }])
    expect(patterns).toEqual(['failed*'])
    for (const body of [{}, { pattern: '' }, { pattern: 3 }]) {
      expect(await codeOf(await post('invalidate', body))).toEqual([400, 'BAD_PATTERN'])
    }
    expect(patterns).toHaveLength(1)
  })

  test('warm by texts and by requests', async () => {
    const asked: ContextRequest[][] = []
    const { post } = doors({
      async warm(requests) {
        asked.push([...requests])
        return { warmed: 1, failed: [{ query: 'b', reason: 'QUERY_INVALID' }] }
      },
    })
    const response = await post('warm', { queries: ['a', { query: 'b', limit: 3, filter: 'svm' }] })
    expect(await response.json()).toEqual({ warmed: 1, failed: [{ query: 'b', reason: 'QUERY_INVALID' }] })
    expect(asked).toEqual([[{ query: 'a' }, { query: 'b', limit: 3, filter: 'svm', tokens: undefined }]])
    const many = Array.from({ length: 101 }, () => 'a')
    for (const queries of [undefined, [], many, 'a', [3], [null], [{}], [{ query: 'a', limit: '3' }]]) {
      expect(await codeOf(await post('warm', { queries })), JSON.stringify(queries)).toEqual([
        400,
        'BAD_QUERIES',
      ])
    }
    expect(asked).toHaveLength(1)
  })

  test('take JSON only, which a page of another site cannot send, and not too much of it', async () => {
    const { post } = doors({ invalidateCache: () => expect.unreachable() })
    expect(await codeOf(await post('invalidate', '{"pattern":"*"}', 'text/plain'))).toEqual([415, 'BAD_TYPE'])
    expect(await codeOf(await post('invalidate', '{'))).toEqual([400, 'BAD_JSON'])
    expect(await codeOf(await post('invalidate', 'null'))).toEqual([400, 'BAD_JSON'])
    expect(await codeOf(await post('invalidate', { pattern: 'x'.repeat(70_000) }))).toEqual([
      413,
      'BODY_TOO_LARGE',
    ])
  })

  test('say that there is nothing to tell where nothing is remembered', async () => {
    const { app, post } = doors(undefined)
    expect(await codeOf(await app.request('/context/cache'))).toEqual([404, 'NO_CACHE'])
    expect(await codeOf(await post('warm', { queries: ['a'] }))).toEqual([404, 'NO_CACHE'])
    expect(await codeOf(await post('invalidate', { pattern: '*' }))).toEqual([404, 'NO_CACHE'])
  })
})
