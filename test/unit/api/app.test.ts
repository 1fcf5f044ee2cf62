import pino from 'pino'
import { describe, expect, test } from 'vitest'
import { createApp } from '../../../sidecar/api/app.ts'
import type { ChainEvent, Problem, SidecarView } from '../../../sidecar/api/view.ts'
import { createMetrics } from '../../../sidecar/metrics.ts'
import type { Status } from '../../../sidecar/status.ts'
import { encodeBase58 } from '../../../sidecar/svm/base58.ts'
import { genesis } from '../../support/chain.ts'

const status = { blocks: 3, transactions: 12 } as Status
const pubkey = Uint8Array.from({ length: 32 }, (_, i) => i)

function app(overrides: Partial<SidecarView> = {}) {
  const view: SidecarView = {
    status: () => status,
    problems: () => [],
    readiness: () => ({ ready: true, why: undefined }),
    metrics: createMetrics().registry,
    context: async ({ query }) => ({
      query,
      asOf: undefined,
      items: [],
      budget: { tokens: 1, used: 0, method: 'chars/3', dropped: 0 },
      warnings: [],
    }),
    decisions: () => [],
    neighbours: async ({ id }) => ({
      ...{ id, asOf: undefined, nodes: [], edges: [], truncated: false, warnings: [] },
    }),
    documents: {
      list: async () => [],
      add: () => Promise.reject(new Error('no store')),
      remove: () => Promise.reject(new Error('no store')),
      callNames: () => Promise.reject(new Error('no store')),
      embedding: () => Promise.reject(new Error('no store')),
    },
    decisionsOf: () => [],
    undone: () => [],
    findingsOf: () => [],
    findings: () => [],
    advice: () => null,
    account: () => ({
      account: {
        lamports: 2n ** 60n,
        owner: new Uint8Array(32),
        executable: false,
        rentEpoch: 0n,
        data: pubkey,
      },
      block: genesis,
    }),
    listen: () => () => {},
    ...overrides,
  }
  return createApp(view, { logger: pino({ level: 'silent' }) })
}
const deepReorg: Problem = { code: 'REORG_TOO_DEEP', message: 'start with another --data-dir', fatal: true }

describe('HTTP doors', () => {
  test('an account has its lamports as a string and names its block', async () => {
    const response = await app().request(`/accounts/${encodeBase58(pubkey)}`)
    expect(response.status).toBe(200)
    expect(await response.json()).toEqual({
      pubkey: encodeBase58(pubkey),
      lamports: '1152921504606846976',
      owner: '11111111111111111111111111111111',
      executable: false,
      dataBase64: Buffer.from(pubkey).toString('base64'),
      block: { number: 0, hash: genesis.hash },
    })
  })

  test.each([
    ['/accounts/0OIl', 400, 'BAD_PUBKEY'],
    ['/accounts/abc', 400, 'BAD_PUBKEY'],
    ['/decisions?limit=0', 400, 'BAD_LIMIT'],
    ['/decisions?limit=1e3', 400, 'BAD_LIMIT'],
    ['/decisions/0x12', 400, 'BAD_HASH'],
    [`/decisions/0x${'0'.repeat(64)}`, 404, 'NOT_FOUND'],
    ['/context', 400, 'BAD_QUERY'],
    ['/context?query=a&limit=x', 400, 'BAD_LIMIT'],
    ['/nothing', 404, 'NO_SUCH_DOOR'],
  ])('%s answers %i %s', async (path, code, name) => {
    const response = await app().request(path)
    expect(response.status).toBe(code)
    expect(await response.json()).toMatchObject({ error: { code: name } })
  })

  test('context is asked by GET and by POST', async () => {
    const get = await app().request('/context?query=transfer%20to&limit=3')
    const post = await app().request('/context', {
      method: 'POST',
      body: JSON.stringify({ query: 'transfer to', limit: 3 }),
    })
    expect(await get.json()).toEqual(await post.json())
    const bad = await app().request('/context', { method: 'POST', body: '{' })
    expect([bad.status, await bad.json()]).toMatchObject([400, { error: { code: 'BAD_JSON' } }])
  })

  test('once applying has stopped for good no door serves the stored chain, and health says how to recover', async () => {
    const stopped = app({
      problems: () => [deepReorg],
      readiness: () => ({ ready: false, why: deepReorg.message }),
    })
    for (const path of [
      `/accounts/${encodeBase58(pubkey)}`,
      '/decisions',
      `/decisions/0x${'0'.repeat(64)}`,
      '/context?query=a',
      '/health',
      '/ready',
    ]) {
      const response = await stopped.request(path)
      expect(response.status, path).toBe(503)
      expect(await response.text(), path).toContain('--data-dir')
    }
    expect((await stopped.request('/status')).status).toBe(200)
    expect((await stopped.request('/metrics')).status).toBe(200)
  })

  test('a problem that passes makes health red and leaves the doors open', async () => {
    const degraded = app({ problems: () => [{ code: 'NODE_UNREACHABLE', message: 'gone', fatal: false }] })
    expect((await degraded.request('/health')).status).toBe(503)
    expect((await degraded.request(`/accounts/${encodeBase58(pubkey)}`)).status).toBe(200)
  })

  test('events are JSON lines, and a reader that leaves is forgotten', async () => {
    const listeners = new Set<(event: ChainEvent) => void>()
    const response = await app({
      listen(listener) {
        listeners.add(listener)
        return () => listeners.delete(listener)
      },
    }).request('/events')
    const reader = response.body!.getReader()
    await reader.read()
    for (const listener of listeners) listener({ type: 'applied', block: genesis })
    const { value } = await reader.read()
    expect(JSON.parse(Buffer.from(value!).toString())).toEqual({
      timeMs: expect.any(Number),
      type: 'applied',
      number: 0,
      hash: genesis.hash,
    })
    await reader.cancel()
    expect(listeners.size).toBe(0)
  })

  test('an events reader that never reads is cut off', async () => {
    let listener: ((event: ChainEvent) => void) | undefined
    let isListening = true
    const response = await app({
      listen(given) {
        listener = given
        return () => {
          isListening = false
        }
      },
    }).request('/events')
    for (let i = 0; i < 20_000 && isListening; i++) listener!({ type: 'applied', block: genesis })
    expect(isListening).toBe(false)
    expect((await response.text()).trim().split('\n').at(-1)).toContain('overrun')
  })
})
