import pino from 'pino'
import { describe, expect, test } from 'vitest'
import { loadConfig } from '#config'
import { startReplayFeed } from '#harness'
import { type CacheStats, type ContextAnswer, openVectorStore, type VectorStore } from '#vector'
import { buildBlock } from '../../../harness/feed/index.ts'
import { createApp } from '../../../sidecar/api/app.ts'
import { startBridge } from '../../../sidecar/bridge.ts'
import { isRecordingMissing, recordedBlocks } from '../../support/program/recordedBlocks.ts'
import { temporaryFolder } from '../../support/program/temporaryFolder.ts'
import { startDoors, token } from '../doors/startDoors.ts'

const logger = pino({ level: 'silent' })

/** The sidecar over a feed of recorded blocks, all of which are applied, with its doors. */
async function start(address: string, dataDir: string, settings: readonly string[] = []) {
  const { config } = await loadConfig({ command: 'replay', env: {}, flags: { files: ['x'], set: settings } })
  const url = `grpc://${address}`
  const signal = new AbortController().signal
  let store: VectorStore
  const openVector: typeof openVectorStore = async (...given) => {
    store = await openVectorStore(...given)
    return store
  }
  const bridge = await startBridge({ config, url, dataDir, logger, signal, openVector })
  const app = createApp(bridge.view, { logger })
  const get = async <T>(path: string) => (await (await app.request(path)).json()) as T
  return {
    bridge,
    /** What is taken in beside the writes: until it is, answers change without one. */
    consolidatedTo: async () => (await store.stats()).consolidatedTo,
    metrics: async () => (await app.request('/metrics')).text(),
    ask: (query: string) => get<ContextAnswer>(`/context?query=${encodeURIComponent(query)}`),
    stats: () => get<CacheStats>('/context/cache'),
    async post(path: string, body: unknown) {
      const headers = { 'content-type': 'application/json' }
      const response = await app.request(path, { method: 'POST', headers, body: JSON.stringify(body) })
      return response.json()
    },
  }
}

describe.skipIf(isRecordingMissing)('remembered answers of a running sidecar', () => {
  test('are there at its doors and in its metrics, and are those of the store', async () => {
    await using folder = await temporaryFolder()
    await using feed = await startReplayFeed({ files: [recordedBlocks], repeat: 1 } as never)
    const first = await start(feed.address, folder.path)
    await Promise.race([feed.finished.then((head) => first.bridge.untilDurable(head)), first.bridge.failed])
    // Until the outbox is empty every write makes answers old.
    await expect
      .poll(async () => (await first.ask('transactions')).asOf?.number, { timeout: 60_000 })
      .toBe('80')
    // The last of three epochs of 25 blocks.
    await expect.poll(first.consolidatedTo, { timeout: 60_000 }).toBe(74n)
    expect((await first.stats()).forgotten).toBeGreaterThan(1)

    await first.post('/context/cache/invalidate', { pattern: '*' })
    const answer = await first.ask('failed transfers')
    expect(answer.items.length).toBeGreaterThan(0)
    // What is compacted in the background makes answers old as well.
    const again = async () => {
      const { hits } = await first.stats()
      expect(await first.ask('failed transfers')).toEqual(answer)
      return (await first.stats()).hits - hits
    }
    await expect.poll(again).toBe(1)
    expect(await first.post('/context/cache/warm', { queries: ['swaps', 'to:nobody'] })).toEqual({
      warmed: 1,
      failed: [{ query: 'to:nobody', reason: 'QUERY_INVALID' }],
    })
    expect(await first.metrics()).toMatch(/^monmouth_rag_cache_total\{source="memory"\} [1-9]/m)
    expect(await first.metrics()).toMatch(/^monmouth_rag_cache_bytes [1-9]/m)
    expect(await first.post('/context/cache/invalidate', { pattern: 'swaps' })).toEqual({ invalidated: 1 })
    await first.bridge.stop()

    const second = await start(feed.address, folder.path, ['caching.enabled=false'])
    expect(await second.stats()).toMatchObject({ error: { code: 'NO_CACHE' } })
    expect(await second.ask('failed transfers')).toEqual(answer)
    await second.bridge.stop()
  })
})

test('a reorg, and what became final, show in answers that are given out of memory', async () => {
  await using doors = await startDoors()
  const { program, feed } = doors
  const ask = async (query: string) => (await program.get(`/context?query=${query}`)).body as ContextAnswer
  /** Once the vector store has the head. */
  const untilHead = async (query: string) => {
    const isOfHead = (body: unknown) => (body as ContextAnswer).asOf?.hash === feed.head.hash
    return (await program.until(`/context?query=${query}`, ({ body }) => isOfHead(body)))
      .body as ContextAnswer
  }
  const blockHashes = ({ items }: ContextAnswer) => items.map(({ facts }) => facts.blockHash)
  let last = ''
  for (let round = 0; round < 4; round += 1) {
    const [gone, kept] = [round * 2 + 1, round * 2 + 2].map(
      (number) => `0x${String(number).padStart(64, '0')}` as const,
    ) as [`0x${string}`, `0x${string}`]
    doors.commit([{ hash: gone, to: token, input: '0x' }])
    const before = await untilHead(gone)
    expect(blockHashes(before)).toEqual([feed.head.hash])
    for (let count = 0; count < 3; count += 1) expect(await ask(gone)).toEqual(before)
    const replacement = buildBlock({
      parent: feed.canonical.at(-2)!,
      transactions: [{ hash: kept, to: token, input: '0x' }],
      timestamp: 1_700_001_000n + 12n * BigInt(round),
      salt: 'replacement',
    })
    feed.reorg(1, [replacement])
    expect(blockHashes(await untilHead(gone))).toEqual([])
    expect(blockHashes(await ask(kept))).toEqual([feed.head.hash])
    last = kept
  }
  expect(((await program.get('/context/cache')).body as CacheStats).hits).toBeGreaterThan(0)
  expect((await ask(last)).items[0]?.finality).toBe('head')
  feed.finalize(feed.head.number)
  const isFinal = (body: unknown) => (body as ContextAnswer).items[0]?.finality === 'finalized'
  await program.until(`/context?query=${last}`, ({ body }) => isFinal(body))
}, 120_000)
