import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ContextAnswer, EmbeddingStats } from '#vector'
import { createTextHashEmbedder } from '../../../vector/embed/textHashEmbedder.ts'
import { type Program, runProgram } from '../../support/program/startProgram.ts'
import { temporaryFolder } from '../../support/program/temporaryFolder.ts'
import { type Doors, startDoors, token } from '../doors/startDoors.ts'
import { type Behaviour, sendJson, startEmbedderServer } from './embedderServer.ts'

const { embed, dimensions } = createTextHashEmbedder()
/** An endpoint whose vectors say something about their texts. */
const startServer = (behave?: (turn: number) => Behaviour | undefined) =>
  startEmbedderServer(dimensions, behave, embed)

const key = 'sk-very-secret-0123456789'
const runbook = { title: 'Runbook', kind: 'note', text: 'When the bridge halts, page the guardian.' }

/** The settings of a sidecar that asks this endpoint. */
function embedderOf(url: string, ...more: readonly string[]): readonly string[] {
  const settings = ['kind=http', `url=${url}`, 'model=words', `dimensions=${dimensions}`, ...more]
  return settings.flatMap((setting) => ['--set', `embedder.${setting}`])
}

async function post(program: Program, document: object) {
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(`${program.address}/documents`, {
    method: 'POST',
    headers,
    body: JSON.stringify(document),
  })
  return { status: response.status, body: (await response.json()) as { error?: { code: string } } }
}

const ask = async (program: Program, query: string) =>
  (await program.get(`/context?query=${encodeURIComponent(query)}`)).body as ContextAnswer
const embeddingOf = async (program: Program) =>
  (await program.get('/documents/embedding')).body as EmbeddingStats
const untilEmbedding = async (program: Program, isSo: (stats: EmbeddingStats) => boolean) =>
  (await program.until('/documents/embedding', ({ body }) => isSo(body as EmbeddingStats))).body

describe('an embedder behind an endpoint, as the users of a sidecar meet it', () => {
  const resources = new AsyncDisposableStack()
  let doors: Doors
  let blocks = 0

  beforeAll(async () => {
    doors = resources.use(await startDoors())
  }, 120_000)
  afterAll(() => resources.disposeAsync())

  /** The chain goes on, and so does the sidecar. */
  async function goesOn(program: Program): Promise<void> {
    blocks += 1
    doors.commit([{ hash: `0x${String(blocks).padStart(64, '0')}`, to: token, input: '0x' }])
    await doors.settled(program)
    expect((await program.get('/health')).status).toBe(200)
  }

  test('documents are near what is asked by its vectors; its key is read from a file and shown nowhere', async () => {
    await using server = await startServer()
    await using folder = await temporaryFolder()
    const keyFile = join(folder.path, 'key')
    await writeFile(keyFile, `# of the endpoint\n${key}\n`)
    await using sidecar = await doors.another(embedderOf(server.url, `key_file=${keyFile}`))
    const { program } = sidecar
    expect(await post(program, runbook)).toMatchObject({ status: 201 })
    // No word of it is in the document as it is written there.
    const { items, warnings } = await ask(program, 'gaurdian brigde')
    expect(items[0]).toMatchObject({
      kind: 'document',
      facts: { title: 'Runbook' },
      provenance: { embedder: `http:words-${dimensions}/1` },
    })
    expect(items[0]!.distance).toBeLessThan(1)
    expect(warnings.filter((text) => text.includes('vector'))).toEqual([])
    await doors.settled(program)
    const before = server.asked.length
    await goesOn(program)
    await ask(program, 'gaurdian brigde')
    expect(server.asked, 'the same question is embedded once').toHaveLength(before)
    expect(new Set(server.asked.map(({ headers }) => headers.authorization))).toEqual(
      new Set([`Bearer ${key}`]),
    )
    expect(await embeddingOf(program)).toEqual({
      embedder: `http:words-${dimensions}/1`,
      wanted: `http:words-${dimensions}/1`,
    })
    await sidecar[Symbol.asyncDispose]()
    expect(program.stdout() + program.stderr()).not.toContain(key)
  }, 120_000)

  test('a change of embedder embeds all again behind the answers, shows how far, and survives kill -9', async () => {
    const held = Promise.withResolvers<void>()
    let bulk = 0
    let isHolding = false
    await using server = await startServer(() => async ({ input }, _, answer) => {
      // A question is one text, a batch of the job many.
      if (isHolding && input.length > 1) {
        bulk += 1
        if (bulk > 5) await held.promise
      }
      answer()
    })
    await using folder = await temporaryFolder()
    const start = (version: number) =>
      doors.another([...embedderOf(server.url, `version=${version}`), '--data-dir', folder.path])
    const [old, wanted] = [`http:words-${dimensions}/1`, `http:words-${dimensions}/2`]
    {
      await using sidecar = await start(1)
      const paragraph = (index: number) =>
        `Paragraph ${index}. ${'The guardian is paged when the bridge halts. '.repeat(18)}`
      const text = Array.from({ length: 200 }, (_, index) => paragraph(index)).join('\n\n')
      expect(await post(sidecar.program, { ...runbook, text })).toMatchObject({ status: 201 })
    }
    const parts = 200
    isHolding = true
    {
      await using sidecar = await start(2)
      const { program } = sidecar
      const half = await untilEmbedding(program, ({ progress }) => (progress?.done ?? 0) > 0)
      expect(half).toEqual({ embedder: old, wanted, progress: { done: 128, total: parts, embedder: wanted } })
      // Old vectors answer, and the old model of the endpoint embeds the questions to them.
      const { items } = await ask(program, 'gaurdian brigde')
      expect(items[0]?.provenance.embedder).toBe(old)
      const listed = await runProgram(['documents', 'list', '--http', program.address.replace('http://', '')])
      expect(listed.stdout).toContain(
        `vectors of ${old}, to be embedded again by ${wanted}: 128 of ${parts} parts\n`,
      )
      await goesOn(program)
      await program.stop('SIGKILL')
    }
    isHolding = false
    held.resolve()
    const before = server.asked.flatMap(({ input }) => input).length
    await using sidecar = await start(2)
    await untilEmbedding(sidecar.program, ({ embedder }) => embedder === wanted)
    expect(await embeddingOf(sidecar.program)).toEqual({ embedder: wanted, wanted })
    // What was written before the kill was not embedded again.
    expect(server.asked.flatMap(({ input }) => input).length - before).toBe(parts - 128)
    const { items } = await ask(sidecar.program, 'gaurdian brigde')
    expect(items[0]?.provenance.embedder).toBe(wanted)
    const metrics = await (await fetch(`${sidecar.program.address}/metrics`)).text()
    expect(metrics).toContain('monmouth_vector_maintenance_total{job="reembed",result="done"} 1')
  }, 180_000)

  test('one that is gone is said; words still find documents, none is added, and the chain goes on', async () => {
    const server = await startServer()
    await using sidecar = await doors.another(embedderOf(server.url, 'retries=0'))
    const { program } = sidecar
    expect(await post(program, runbook)).toMatchObject({ status: 201 })
    await server[Symbol.asyncDispose]()
    const { items, warnings } = await ask(program, 'guardian')
    expect(items[0]).toMatchObject({ kind: 'document', facts: { match: 'words' } })
    expect(warnings.join()).toMatch(/documents by vector could not be searched: embedder: .*ECONNREFUSED/)
    const refused = await post(program, { ...runbook, title: 'Another', text: 'Another one.' })
    expect(refused).toMatchObject({ status: 503, body: { error: { code: 'UNREACHABLE' } } })
    await goesOn(program)
  }, 120_000)

  test('one that is not there at the start is told at its door, and waited for', async () => {
    const gone = await startServer()
    await gone[Symbol.asyncDispose]()
    await using sidecar = await doors.another(embedderOf(gone.url, 'retries=0'))
    await untilEmbedding(sidecar.program, ({ problem }) => problem?.includes('ECONNREFUSED') === true)
    await goesOn(sidecar.program)
  }, 120_000)

  test('one of other dimensions is told at once, without a question', async () => {
    await using server = await startEmbedderServer(8)
    await using sidecar = await doors.another(embedderOf(server.url))
    const { program } = sidecar
    await untilEmbedding(
      program,
      ({ problem }) => problem?.includes(`expected vectors of ${dimensions} dimensions`) === true,
    )
    const listed = await runProgram(['documents', 'list', '--http', program.address.replace('http://', '')])
    expect(listed.stdout).toContain('gave 8')
    expect(await post(program, runbook)).toMatchObject({
      status: 503,
      body: { error: { code: 'WRONG_DIMENSIONS' } },
    })
    await goesOn(program)
  }, 120_000)

  test('one that is slow holds up neither the chain nor a question, and is left alone after a while', async () => {
    let isSlow = false
    await using server = await startServer(() => (_, __, answer) => {
      if (!isSlow) answer()
    })
    await using sidecar = await doors.another(embedderOf(server.url, 'question_timeout=100ms'))
    const { program } = sidecar
    expect(await post(program, runbook)).toMatchObject({ status: 201 })
    isSlow = true
    const before = server.asked.length
    const adding = post(program, { ...runbook, title: 'Another', text: 'Another one.' })
    await expect.poll(() => server.asked.length).toBe(before + 1)
    await goesOn(program)
    expect((await ask(program, 'guardian')).warnings.join()).toContain(
      'the vector of a question within 100 ms',
    )
    for (const word of ['bridge', 'halts', 'page', 'guardians']) await ask(program, word)
    expect((await ask(program, 'bridges')).warnings.join()).toContain('is left alone for another')
    await goesOn(program)
    await sidecar[Symbol.asyncDispose]()
    await adding.catch(() => undefined)
  }, 120_000)

  test('one that is busy is asked again when it says', async () => {
    await using server = await startServer((turn) =>
      turn < 2 ? (_, response) => sendJson(response, 429, {}, { 'retry-after': '1' }) : undefined,
    )
    await using sidecar = await doors.another(embedderOf(server.url))
    expect(await post(sidecar.program, runbook)).toMatchObject({ status: 201 })
    expect(await embeddingOf(sidecar.program)).not.toHaveProperty('problem')
    await goesOn(sidecar.program)
  }, 120_000)

  test('in a folder by itself, what is wrong is told by the exit code: the settings, or the endpoint', async () => {
    await using folder = await temporaryFolder()
    const nowhere = 'http://127.0.0.1:1/v1'
    await using sidecar = await doors.another([...embedderOf(nowhere), '--data-dir', folder.path])
    await sidecar.program.stop()
    const note = join(folder.path, 'note.md')
    await writeFile(note, runbook.text)
    const add = (url: string, ...more: readonly string[]) =>
      runProgram(['documents', 'add', note, '--data-dir', folder.path, ...embedderOf(url, ...more)])
    const [gone, missing, account] = [
      await add(nowhere, 'retries=0'),
      await add(nowhere, 'key_file=/nonexistent/key'),
      await add('http://user:password@127.0.0.1:1/v1'),
    ]
    expect([gone.code, missing.code, account.code]).toEqual([1, 2, 2])
    expect(gone.stderr).toContain('embedder: expected an answer from http://127.0.0.1:1')
    expect(missing.stderr).toContain(
      'embedder.key_file: expected a file with a line of text at /nonexistent/key',
    )
    expect(account.stderr).toContain('without account')
    expect(account.stderr).not.toContain('password')
  }, 120_000)
})
