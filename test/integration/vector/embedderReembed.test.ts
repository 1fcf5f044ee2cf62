import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { embeddedTableName } from '../../../vector/embed/servingTable.ts'
import { limitedFolder, noLimitedFolder } from '../../support/program/limitedFolder.ts'
import { temporaryFolder } from '../../support/program/temporaryFolder.ts'
import { startEmbedderServer } from './embedderServer.ts'
import { expectedNotes, modelOf, notesOf, openNotes, putNotes, readNotes } from './embedderTable.ts'

const small = 8
const large = 12
const tableOf = (dimensions: number) =>
  embeddedTableName('notes', { id: `http:model-${dimensions}/1`, dimensions })
const exclusive = <T>(work: () => Promise<T>) => work()

type Notes = Awaited<ReturnType<typeof openNotes>>
const rowsOf = (notes: Notes) => notes.serving.use(({ table }) => readNotes(table))
const inUse = (notes: Notes) => notes.serving.use(async ({ embedder }) => embedder.dimensions)
const put = (notes: Notes, list: ReturnType<typeof notesOf>) =>
  notes.serving.use(({ table, embedder }) => putNotes(table, embedder.dimensions, list))

describe('embedding a table again', () => {
  test('the old table answers until the new one is whole, then that one alone', async () => {
    await using folder = await temporaryFolder()
    await using notes = await openNotes(folder.path)
    const list = notesOf(100)
    await put(notes, list)
    const seen: number[][] = []
    await using server = await startEmbedderServer(large, (turn) => async (_, __, answer) => {
      const rows = await rowsOf(notes)
      seen[turn] = [
        await inUse(notes),
        rows.length,
        ...new Set(rows.map(({ embedding }) => embedding.length)),
      ]
      answer()
    })
    const progress: number[] = []
    await notes.serving.reembed(modelOf(server.url, large), {
      exclusive,
      batchRows: 16,
      onProgress: ({ done, total }) => {
        expect(total).toBe(100)
        expect(notes.serving.progress()?.done).toBe(done)
        progress.push(done)
      },
    })
    expect(seen).toEqual(Array.from({ length: 7 }, () => [small, 100, small]))
    expect(progress.slice(0, 8)).toEqual([0, 16, 32, 48, 64, 80, 96, 100])
    expect(notes.serving.progress()).toBeUndefined()
    expect(await inUse(notes)).toBe(large)
    expect(await rowsOf(notes)).toEqual(expectedNotes(list, large))
    expect(await notes.connection.tableNames()).toEqual([tableOf(large)])
    const schema = await notes.serving.use(({ table }) => table.schema())
    expect(Object.fromEntries(schema.metadata)).toMatchObject({
      'monmouth.schema': 'test',
      'monmouth.embedder': `http:model-${large}/1`,
      'monmouth.dimensions': `${large}`,
    })
    // Opened again it is what it was, whatever is configured for new tables.
    await using again = await openNotes(folder.path, { dimensions: 99, readOnly: true })
    expect(await rowsOf(again)).toEqual(expectedNotes(list, large))
  })

  test('what is written, changed and removed meanwhile is in the new table, and only what needs it is embedded', async () => {
    await using folder = await temporaryFolder()
    await using notes = await openNotes(folder.path)
    const list = notesOf(64)
    await put(notes, list)
    await using server = await startEmbedderServer(large, (turn) => async (_, __, answer) => {
      if (turn === 2) {
        await put(notes, [
          { ...list[0]!, text: 'another text' },
          { ...list[1]!, source: 'elsewhere' },
        ])
        await put(notes, notesOf(5, 1000))
        await notes.serving.use(({ table }) => table.delete("`id` = 'it''s note \"2\"'"))
      }
      answer()
    })
    let holds = 0
    await notes.serving.reembed(modelOf(server.url, large), {
      batchRows: 16,
      async exclusive(work) {
        holds += 1
        // Written between the last look and the hold: once a text, once only another column.
        if (holds === 1) await put(notes, [{ ...list[3]!, text: 'late text' }])
        if (holds === 2) await put(notes, [{ ...list[4]!, source: 'late' }])
        return work()
      },
    })
    const expected = [
      { ...list[0]!, text: 'another text' },
      { ...list[1]!, source: 'elsewhere' },
      { ...list[3]!, text: 'late text' },
      { ...list[4]!, source: 'late' },
      ...list.slice(5),
      ...notesOf(5, 1000),
    ]
    expect(holds).toBe(2)
    expect(await inUse(notes)).toBe(large)
    expect(await rowsOf(notes)).toEqual(expectedNotes(expected, large))
    expect(server.asked.flatMap(({ input }) => input)).toHaveLength(64 + 1 + 5 + 1)
  })

  test('aborted or failed it goes on where it was; the old table answers all the while', async () => {
    await using folder = await temporaryFolder()
    await using notes = await openNotes(folder.path)
    const list = notesOf(96)
    await put(notes, list)
    const stop = new AbortController()
    await using server = await startEmbedderServer(large, (turn) => (_, response, answer) => {
      if (turn === 4) response.writeHead(401).end()
      else answer()
      if (turn === 2) stop.abort(new Error('enough'))
    })
    const model = modelOf(server.url, large)
    const options = { exclusive, batchRows: 16 }
    await expect(notes.serving.reembed(model, { ...options, signal: stop.signal })).rejects.toThrow('enough')
    expect(await rowsOf(notes)).toEqual(expectedNotes(list, small))
    await expect(notes.serving.reembed(model, options)).rejects.toMatchObject({ code: 'REFUSED' })
    expect(await rowsOf(notes)).toEqual(expectedNotes(list, small))
    const first: number[] = []
    await notes.serving.reembed(model, { ...options, onProgress: ({ done }) => first.push(done) })
    expect(first[0]).toBeGreaterThanOrEqual(2 * 16)
    expect(await rowsOf(notes)).toEqual(expectedNotes(list, large))
  })

  test.skipIf(noLimitedFolder)(
    'a full disk ends the job and no answer; with room again it goes on',
    async () => {
      await using disk = await limitedFolder(64)
      await using notes = await openNotes(disk.path)
      const list = notesOf(96)
      await put(notes, list)
      await using server = await startEmbedderServer(large, (turn) => (_, __, answer) => {
        if (turn === 2) disk.fill()
        answer()
      })
      const model = modelOf(server.url, large)
      await expect(notes.serving.reembed(model, { exclusive, batchRows: 16 })).rejects.toThrow(/space|full/i)
      expect(notes.serving.progress()).toMatchObject({ done: 32, total: 96 })
      expect(await rowsOf(notes)).toEqual(expectedNotes(list, small))
      disk.release()
      await notes.serving.reembed(model, { exclusive, batchRows: 16 })
      expect(await rowsOf(notes)).toEqual(expectedNotes(list, large))
    },
  )

  test('another change of mind drops what was begun, and back to the one in use too', async () => {
    await using folder = await temporaryFolder()
    await using notes = await openNotes(folder.path)
    const list = notesOf(20)
    await put(notes, list)
    await using broken = await startEmbedderServer(large, (turn) => (_, response, answer) => {
      if (turn === 0) answer()
      else response.writeHead(401).end()
    })
    const options = { exclusive, batchRows: 16 }
    await expect(notes.serving.reembed(modelOf(broken.url, large), options)).rejects.toThrow('401')
    expect((await notes.connection.tableNames()).sort()).toEqual([tableOf(large), tableOf(small)].sort())
    await using other = await startEmbedderServer(16)
    await notes.serving.reembed(modelOf(other.url, 16), options)
    expect(await notes.connection.tableNames()).toEqual([tableOf(16)])
    expect(await rowsOf(notes)).toEqual(expectedNotes(list, 16))
    await expect(notes.serving.reembed(modelOf(broken.url, large), options)).rejects.toThrow('401')
    await notes.serving.reembed(modelOf(other.url, 16), options)
    expect(await notes.connection.tableNames()).toEqual([tableOf(16)])
  })

  test('an answer begun before the change ends with the table it began with', async () => {
    await using folder = await temporaryFolder()
    await using notes = await openNotes(folder.path)
    const list = notesOf(10)
    await put(notes, list)
    await using server = await startEmbedderServer(large)
    const changed = Promise.withResolvers<void>()
    const answering = notes.serving.use(async ({ table, embedder }) => {
      await changed.promise
      return { rows: await readNotes(table), dimensions: embedder.dimensions }
    })
    await notes.serving.reembed(modelOf(server.url, large), { exclusive })
    expect(await inUse(notes)).toBe(large)
    expect((await notes.connection.tableNames()).sort()).toEqual([tableOf(large), tableOf(small)].sort())
    changed.resolve()
    expect(await answering).toEqual({ rows: expectedNotes(list, small), dimensions: small })
    expect(await notes.connection.tableNames()).toEqual([tableOf(large)])
  })

  test('a reader in another process follows, also in the middle of an answer', async () => {
    await using folder = await temporaryFolder()
    await using notes = await openNotes(folder.path)
    const list = notesOf(10)
    await put(notes, list)
    await using reader = await openNotes(folder.path, { readOnly: true })
    expect(await rowsOf(reader)).toEqual(expectedNotes(list, small))
    await expect(
      reader.serving.reembed(modelOf('http://127.0.0.1:1', 3), { exclusive }),
    ).rejects.toMatchObject({
      code: 'READ_ONLY',
    })
    await using server = await startEmbedderServer(large)
    const seen: number[] = []
    const rows = await reader.serving.use(async ({ table, embedder }) => {
      seen.push(embedder.dimensions)
      if (seen.length === 1) await notes.serving.reembed(modelOf(server.url, large), { exclusive })
      return readNotes(table)
    })
    expect(seen).toEqual([small, large])
    expect(rows).toEqual(expectedNotes(list, large))
  })

  test('killed with -9 at any point, it is continued, and what answers is always whole', async () => {
    await using folder = await temporaryFolder()
    const list = notesOf(320)
    {
      await using notes = await openNotes(folder.path)
      await put(notes, list)
    }
    const seed = Date.now() % 1_000_000
    console.info(`seed ${seed}`)
    let random = seed
    const next = (below: number) => {
      random = (Math.imul(random, 1103515245) + 12345) & 0x7fffffff
      return random % below
    }
    const kills = 8
    let killAt = Number.POSITIVE_INFINITY
    let kill = () => {}
    await using server = await startEmbedderServer(large, (turn) => async (_, __, answer) => {
      if (turn < killAt) return answer()
      killAt = Number.POSITIVE_INFINITY
      // Before the answer, or a moment after it: the child then writes, compacts or changes tables.
      if (next(4) === 0) return kill()
      answer()
      await delay(next(40))
      kill()
    })
    const run = async (batches: number | undefined) => {
      const child = spawn(
        process.execPath,
        [fileURLToPath(new URL('./embedderChild.ts', import.meta.url)), folder.path, server.url, `${large}`],
        { stdio: ['ignore', 'ignore', 'pipe'] },
      )
      let said = ''
      child.stderr.on('data', (data) => {
        said += data
      })
      kill = () => child.kill('SIGKILL')
      if (batches !== undefined) killAt = server.asked.length + batches
      const [code, signal] = await once(child, 'exit')
      expect(code === 0 || signal === 'SIGKILL', said).toBe(true)
      await using notes = await openNotes(folder.path, { dimensions: large })
      const dimensions = await inUse(notes)
      if (code !== 0 && batches !== undefined && batches < 3) expect(dimensions).toBe(small)
      expect(await rowsOf(notes)).toEqual(expectedNotes(list, dimensions))
      return dimensions
    }
    for (let count = 0; count < kills; count++) await run(next(3))
    expect(await run(undefined)).toBe(large)
    const asked = server.asked.flatMap(({ input }) => input).length
    console.info(`${kills} kills: ${asked} texts embedded for ${list.length} rows`)
    expect(asked).toBeLessThanOrEqual(list.length + kills * 16)
    await using notes = await openNotes(folder.path)
    expect(await notes.connection.tableNames()).toEqual([tableOf(large)])
  })
})

describe('killed with -9 while tables change places', () => {
  test('either the old one answers or the new one, whole', async () => {
    await using folder = await temporaryFolder()
    const list = notesOf(16)
    {
      await using notes = await openNotes(folder.path)
      await put(notes, list)
    }
    let dimensions = small
    let changes = 0
    for (let round = 0; round < 12; round++) {
      const wanted = dimensions === small ? large : small
      const answered = Promise.withResolvers<void>()
      await using server = await startEmbedderServer(wanted, () => (_, __, answer) => {
        answer()
        answered.resolve()
      })
      const child = spawn(
        process.execPath,
        [fileURLToPath(new URL('./embedderChild.ts', import.meta.url)), folder.path, server.url, `${wanted}`],
        { stdio: ['ignore', 'ignore', 'inherit'] },
      )
      const exit = once(child, 'exit')
      // All is embedded by then where an earlier round got that far, and there is no request.
      await Promise.race([answered.promise, exit])
      await delay(20 * round)
      child.kill('SIGKILL')
      await exit
      await using notes = await openNotes(folder.path, { dimensions: wanted })
      const now = await inUse(notes)
      expect(await rowsOf(notes), `round ${round}`).toEqual(expectedNotes(list, now))
      if (now === wanted) changes += 1
      dimensions = now
    }
    console.info(`${changes} of 12 changes were through when killed`)
  })
})

describe('opening what was left', () => {
  test('a creation cut short is begun anew, at each of its steps', async () => {
    await using folder = await temporaryFolder()
    mkdirSync(join(folder.path, `${tableOf(small)}.lance`, 'data'), { recursive: true })
    {
      await using notes = await openNotes(folder.path)
      await put(notes, notesOf(3))
    }
    // A next table of which only a folder is there.
    const path = join(folder.path, 'notes.embedder.json')
    const state = JSON.parse(readFileSync(path, 'utf8'))
    const next = { table: tableOf(large), embedder: { id: `http:model-${large}/1`, dimensions: large } }
    writeFileSync(path, JSON.stringify({ ...state, next }))
    mkdirSync(join(folder.path, `${tableOf(large)}.lance`))
    await using server = await startEmbedderServer(large)
    await using notes = await openNotes(folder.path, { dimensions: large })
    expect(await inUse(notes)).toBe(small)
    await notes.serving.reembed(modelOf(server.url, large), { exclusive })
    expect(await rowsOf(notes)).toEqual(expectedNotes(notesOf(3), large))
  })

  test('a change that is wanted no more is removed at the next start, one that still is goes on', async () => {
    await using folder = await temporaryFolder()
    await using server = await startEmbedderServer(large, (turn) =>
      turn === 1 ? (_, response) => response.writeHead(401).end() : undefined,
    )
    const tables = async (dimensions: number) => {
      await using notes = await openNotes(folder.path, { dimensions })
      return (await notes.connection.tableNames()).sort()
    }
    {
      await using notes = await openNotes(folder.path)
      await put(notes, notesOf(40))
      const options = { exclusive, batchRows: 16 }
      await expect(notes.serving.reembed(modelOf(server.url, large), options)).rejects.toThrow('401')
    }
    expect(await tables(large)).toEqual([tableOf(large), tableOf(small)].sort())
    expect(await tables(small)).toEqual([tableOf(small)])
    expect(JSON.parse(readFileSync(join(folder.path, 'notes.embedder.json'), 'utf8')).next).toBeUndefined()
  })

  test('what a finished change left is removed, and nothing else', async () => {
    await using folder = await temporaryFolder()
    {
      await using notes = await openNotes(folder.path)
      await put(notes, notesOf(3))
      const left = await notes.connection.createTable('notes--old', [{ id: 'a' }])
      const others = await notes.connection.createTable('notes-of-others', [{ id: 'a' }])
      left.close()
      others.close()
    }
    await using reader = await openNotes(folder.path, { readOnly: true })
    expect(await reader.connection.tableNames()).toContain('notes--old')
    await using notes = await openNotes(folder.path)
    expect((await notes.connection.tableNames()).sort()).toEqual([tableOf(small), 'notes-of-others'].sort())
  })

  test('files that do not belong together are told, not repaired', async () => {
    await using folder = await temporaryFolder()
    await expect(openNotes(folder.path, { readOnly: true })).rejects.toMatchObject({ code: 'STORE_MISSING' })
    {
      await using notes = await openNotes(folder.path)
      await put(notes, notesOf(3))
    }
    const path = join(folder.path, 'notes.embedder.json')
    const good = readFileSync(path, 'utf8')
    const state = JSON.parse(good)
    const codeWith = async (text: string) => {
      writeFileSync(path, text)
      return openNotes(folder.path).then(
        () => 'opened',
        (error) => error.code,
      )
    }
    expect(await codeWith(good.slice(0, 40))).toBe('STORE_DAMAGED')
    expect(await codeWith(JSON.stringify({ ...state, layout: 2 }))).toBe('STORE_DAMAGED')
    expect(await codeWith(JSON.stringify({ ...state, embedder: {} }))).toBe('STORE_DAMAGED')
    const other = { id: 'http:other-8/1', dimensions: small }
    expect(await codeWith(JSON.stringify({ ...state, embedder: other }))).toBe('STORE_MISMATCH')
    expect(await codeWith(good)).toBe('opened')
  })

  test('rows without their state file are not thrown away', async () => {
    await using folder = await temporaryFolder()
    {
      await using notes = await openNotes(folder.path)
      await put(notes, notesOf(3))
    }
    const path = join(folder.path, 'notes.embedder.json')
    const state = readFileSync(path, 'utf8')
    rmSync(path)
    await expect(openNotes(folder.path)).rejects.toMatchObject({ code: 'TABLE_MISSING' })
    writeFileSync(path, state.replaceAll(tableOf(small), tableOf(large)))
    await expect(openNotes(folder.path)).rejects.toMatchObject({ code: 'TABLE_MISSING' })
  })
})
