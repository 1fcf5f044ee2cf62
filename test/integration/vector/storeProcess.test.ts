import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { FilterError, QueryError } from '#vector'
import { temporaryFolder } from '../../support/program/temporaryFolder.ts'
import { blockEntry, blockOf, chainId } from '../../unit/vector/support.ts'
import { openApart } from './openApart.ts'

const everything = { query: '', limit: 1000, tokens: 1_000_000 }

describe('a store in a process of its own', () => {
  test('answers what one in this process does', async () => {
    await using here = await temporaryFolder()
    await using there = await temporaryFolder()
    await using local = await openApart(here.path, { process: undefined })
    await using apart = await openApart(there.path)
    for (const { store } of [local, apart]) {
      await store.apply([blockEntry(1), blockEntry(2), { kind: 'finalized', number: 1n }])
      await store.apply([{ kind: 'undo', blocks: [blockOf(2)] }, blockEntry(2, 2, 'b')])
    }
    expect(await apart.store.search(everything)).toEqual(await local.store.search(everything))
    expect(await apart.store.patternsAt(2n)).toEqual(await local.store.patternsAt(2n))
    expect((await apart.store.stats()).asOf).toEqual({ number: 2n, hash: blockOf(2, 'b').hash })
    expect(local.store.rssBytes()).toBe(0)
    expect(apart.store.rssBytes()).toBeGreaterThan(50 * 2 ** 20)
  })

  test('throws errors of their own class', async () => {
    await using folder = await temporaryFolder()
    await using apart = await openApart(folder.path)
    const { store } = apart
    await expect(store.search({ ...everything, limit: 0 })).rejects.toBeInstanceOf(QueryError)
    const filter = await store
      .search({ ...everything, filter: 'nothing = 1' })
      .catch((error: unknown) => error)
    expect(filter).toBeInstanceOf(FilterError)
    expect(filter).toMatchObject({ code: 'FILTER_INVALID', position: 0 })
    const bad = { ...blockEntry(1), block: { number: 1n, hash: 'no hash' } }
    await expect(store.apply([bad])).rejects.toMatchObject({
      name: 'VectorStoreError',
      code: 'INVALID_ENTRY',
    })
    await store.apply([blockEntry(1)])
    await store.close()
    await expect(store.apply([blockEntry(2)])).rejects.toMatchObject({ code: 'CLOSED' })
  })

  test('a folder that cannot be opened is said at once', async () => {
    await using folder = await temporaryFolder()
    await (await openApart(folder.path)).store.close()
    await expect(openApart(folder.path, { chainId: 2n })).rejects.toMatchObject({ code: 'STORE_MISMATCH' })
  })

  test('one that cannot start says why, in its own words', async () => {
    await using folder = await temporaryFolder()
    const before = process.env.NODE_OPTIONS
    process.env.NODE_OPTIONS = '--require ./no-such-library.cjs'
    try {
      await expect(openApart(folder.path)).rejects.toMatchObject({
        code: 'STORE_FAILED',
        message: expect.stringContaining('no-such-library'),
      })
    } finally {
      if (before === undefined) delete process.env.NODE_OPTIONS
      else process.env.NODE_OPTIONS = before
    }
  })

  test('is replaced when it holds too much, unseen: nothing is lost, and every answer has what was written before', async () => {
    await using folder = await temporaryFolder()
    await using apart = await openApart(folder.path, { process: { memoryBytes: 1 } })
    const { store } = apart
    const first = apart.pid()
    const replaced = () => apart.said('process was replaced').length
    let applied = 0
    const asking = (async () => {
      let asked = 0
      while (replaced() < 2) {
        const before = applied
        const { items, asOf } = await store.search({ ...everything, query: 'kind:transaction' })
        expect(items.length).toBeGreaterThanOrEqual(before)
        expect(Number(asOf?.number ?? 0)).toBeGreaterThanOrEqual(before)
        asked++
      }
      return asked
    })()
    while (replaced() < 2) {
      await store.apply([blockEntry(applied + 1, 1)])
      applied++
    }
    expect(await asking).toBeGreaterThan(10)
    expect(apart.pid()).not.toBe(first)
    // Each has answered what was asked lately before it answered anybody.
    for (const { rehearsed } of apart.said('process was replaced')) expect(rehearsed).toBeGreaterThan(0)
    const { items } = await store.search({ ...everything, query: 'kind:transaction' })
    expect(items).toHaveLength(Math.min(applied, everything.limit))
  })

  test('questions are answered by the old process until the next one is ready; one that dies on the way makes room for another', async () => {
    await using folder = await temporaryFolder()
    await using apart = await openApart(folder.path, { process: { memoryBytes: 1 } })
    const { store } = apart
    const old = apart.pid()
    const started = apart.stopAt(({ msg }) => msg.includes('process was started'))
    const count = async () => (await store.search({ ...everything, query: 'kind:transaction' })).items.length
    let applied = 0
    const write = () => store.apply([blockEntry(applied + 1, 1)])
    while (apart.pid() === old) {
      await write()
      applied++
    }
    // The folder changes hands as soon as there is somebody to take it; then writes wait.
    const next = await started
    await write()
    applied++
    const opened = apart.stopAt(({ msg }) => msg === 'vector store opened')
    process.kill(next, 'SIGCONT')
    let failed: unknown
    const patient = async () => {
      while (failed === undefined) {
        await write().then(
          () => applied++,
          (error: unknown) => {
            failed = error
          },
        )
      }
    }
    const writing = patient()
    expect(await opened).toBe(next)
    const before = applied
    for (let asked = 0; asked < 20; asked++) expect(await count()).toBe(before)
    expect(applied).toBe(before)
    process.kill(next, 'SIGKILL')
    await writing
    expect(failed).toMatchObject({ code: 'STORE_FAILED', message: expect.stringContaining('SIGKILL') })
    await write()
    applied++
    expect(await count()).toBe(applied)
    expect(apart.pid()).not.toBe(next)
    expect(apart.said('did not close')).toEqual([])
  })

  test('is not replaced while a compaction is under way, which would never come to an end', async () => {
    await using folder = await temporaryFolder()
    await using apart = await openApart(folder.path, { process: { memoryBytes: 1 }, optimizeEvery: 3 })
    const { store } = apart
    const compacting = apart.stopAt(({ kind }) => kind === 'compact')
    let number = 0
    const write = () => store.apply([blockEntry(++number, 1)])
    while (apart.said('a process for the vector store was started').length === 0) await write()
    const compaction = await compacting
    const replacedBefore = apart.said('process was replaced').length
    for (let more = 0; more < 30; more++) await write()
    expect(apart.said('process was replaced')).toHaveLength(replacedBefore)
    process.kill(compaction, 'SIGCONT')
    while (apart.said('process was replaced').length === replacedBefore) await write()
    expect(apart.said('vector store maintained').length).toBeGreaterThan(0)
    expect((await store.stats()).transactions.rows).toBe(number)
  })

  test.runIf(process.platform === 'linux')('is not replaced for the code it has mapped', async () => {
    await using folder = await temporaryFolder()
    const memoryBytes = 150 * 2 ** 20
    await using apart = await openApart(folder.path, { process: { memoryBytes } })
    for (let number = 1; number <= 45; number++) await apart.store.apply([blockEntry(number, 1)])
    expect(apart.store.rssBytes()).toBeGreaterThan(memoryBytes)
    expect(apart.said('process was replaced')).toEqual([])
  })

  test('one that was killed is started again, and the entries applied again', async () => {
    await using folder = await temporaryFolder()
    await using apart = await openApart(folder.path)
    await apart.store.apply([blockEntry(1)])
    const entries = Array.from({ length: 40 }, (_, index) => blockEntry(index + 2, 25))
    const applying = apart.store.apply(entries).then(
      () => 'applied',
      (error: unknown) => error,
    )
    process.kill(apart.pid(), 'SIGKILL')
    // Whether it came to anything is the machine's choice; that it is told, and can be repeated, is not.
    expect(await applying).toMatchObject({
      code: 'STORE_FAILED',
      message: expect.stringContaining('SIGKILL'),
    })
    await apart.store.apply(entries)
    expect((await apart.store.stats()).transactions.rows).toBe(3 + 40 * 25)
  })

  test('survives signals to the whole group: its parent says when it closes', async () => {
    await using folder = await temporaryFolder()
    await using apart = await openApart(folder.path)
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(apart.pid(), signal)
    await apart.store.apply([blockEntry(1)])
    expect(apart.said('process was started')).toHaveLength(1)
  })

  test('compaction and index are the work of processes of their own, which a reorg ends', async () => {
    await using folder = await temporaryFolder()
    await using apart = await openApart(folder.path, {
      ...{ optimizeEvery: 3, keepVersionsMs: 0, indexAboveRows: 200 },
    })
    const { store } = apart
    const jobs = (kind: string) =>
      apart.said('a process for the vector store was started').filter((line) => line.kind === kind)
    const rows = async () =>
      (await store.search({ ...everything, query: 'kind:transaction' })).items.map(({ id }) => id).sort()
    await store.apply(Array.from({ length: 10 }, (_, index) => blockEntry(index + 1, 30)))
    await store.apply([blockEntry(11)])
    await store.apply([blockEntry(12)])
    await expect.poll(async () => (await store.stats()).vectorIndex, { timeout: 20_000 }).toBe(true)
    expect([jobs('compact').length, jobs('index').length]).toEqual([1, 1])
    // A compaction is followed by a rest; the second one stands still until it is ended.
    const second = apart.stopAt(({ kind }) => kind === 'compact')
    let number = 12
    while (jobs('compact').length < 2) {
      await store.apply([blockEntry(++number)])
      await delay(50)
    }
    await second
    const expected = await rows()
    await store.apply([{ kind: 'undo', blocks: [blockOf(number)] }, blockEntry(number, 3, 'b')])
    const kept = expected.filter((id) => !blockEntry(number).rows.some((row) => row.id === id))
    expect(await rows()).toEqual([...kept, ...blockEntry(number, 3, 'b').rows.map(({ id }) => id)].sort())
    while (apart.said('vector store maintained').length < 3) {
      await store.apply([blockEntry(++number)])
      await delay(50)
    }
    expect(await rows()).toHaveLength(10 * 30 + (number - 10) * 3)
    expect(apart.said('failed')).toEqual([])
  })

  test('one writer at a time, any number of readers', async () => {
    await using folder = await temporaryFolder()
    await using apart = await openApart(folder.path)
    await apart.store.apply([blockEntry(1)])
    await expect(openApart(folder.path)).rejects.toMatchObject({ code: 'STORE_IN_USE' })
    await using reader = await openApart(folder.path, { readOnly: true, process: undefined })
    expect((await reader.store.search(everything)).items).toHaveLength(3)
    await apart.store.close()
    await using next = await openApart(folder.path)
    await next.store.apply([blockEntry(2)])
  })

  test('ends with its parent, however that ends, and leaves the folder to the next', async () => {
    await using folder = await temporaryFolder()
    const script = `
      import pino from 'pino'
      import { openVectorStore } from '#vector'
      const options = { directory: ${JSON.stringify(folder.path)}, chainId: ${chainId}n, indexCacheBytes: 1e7, metadataCacheBytes: 1e7,
        optimizeEvery: 10, process: { memoryBytes: 1e12 } }
      await openVectorStore(options, { logger: pino({ level: 'silent' }) })
      console.log('open')
      setInterval(() => {}, 1000)`
    const parent = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    const gone = once(parent, 'exit').then(([code]) => {
      throw new Error(`the parent ended with ${code} before it had opened the store`)
    })
    gone.catch(() => undefined)
    await Promise.race([once(createInterface({ input: parent.stdout }), 'line'), gone])
    parent.kill('SIGKILL')
    await using next = await openApart(folder.path)
    await next.store.apply([blockEntry(1)])
  })
})
