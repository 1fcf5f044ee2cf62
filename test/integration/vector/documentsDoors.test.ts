import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ContextAnswer, DocumentAdded, DocumentSummary } from '#vector'
import { cleanEnvironment } from '../../../harness/sidecar/startSidecar.ts'
import { documentOf, errorOf } from '../../support/program/programAnswers.ts'
import { runProgram } from '../../support/program/startProgram.ts'
import { type TemporaryFolder, temporaryFolder } from '../../support/program/temporaryFolder.ts'
import { type Doors, startDoors, token } from '../doors/startDoors.ts'

const abi = JSON.stringify([
  { type: 'function', name: 'transfer', inputs: [{ type: 'address' }, { type: 'uint256' }] },
])
const runbook = 'When the bridge halts, page the guardian.\n\nThen read the second chapter.'
const program = fileURLToPath(new URL('../../../sidecar/main.ts', import.meta.url))

/** A command with something on its standard input. */
async function withInput(args: readonly string[], input: string) {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', program, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: cleanEnvironment(),
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString()
  })
  child.stdin.end(input)
  const [code] = (await once(child, 'close')) as [number]
  return { code, signal: null, stdout, stderr }
}

/** The status of a body that is announced and never sent: one that is too large need not be. */
function announced(url: string, bytes: number): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': bytes }
    const sent = request(url, { method: 'POST', headers }, (response) => {
      resolve(response.statusCode)
      sent.destroy()
    })
    sent.on('error', reject)
    sent.flushHeaders()
  })
}

describe('documents, as their users meet them', () => {
  const resources = new AsyncDisposableStack()
  let folder: TemporaryFolder
  let doors: Doors
  let files: {
    readonly abi: string
    readonly runbook: string
    readonly source: string
    readonly binary: string
  }
  const http = () => ['--http', doors.url.replace('http://', '')]
  const named = (action: string, ...rest: readonly string[]) => ['documents', action, ...rest]

  beforeAll(async () => {
    folder = resources.use(await temporaryFolder())
    doors = resources.use(await startDoors())
    const file = async (name: string, content: string | Buffer) => {
      const path = join(folder.path, name)
      await writeFile(path, content)
      return path
    }
    files = {
      // As a block explorer answers: the list is a text within.
      abi: await file('token.json', JSON.stringify({ status: '1', result: abi })),
      runbook: await file('runbook.md', runbook),
      source: await file('Token.sol', 'contract Token { function pause() public {} }'),
      binary: await file('picture.png', Buffer.from([0x89, 0x50, 0xff, 0xfe])),
    }
  }, 120_000)
  afterAll(() => resources.disposeAsync())

  test('the help says what there is to do, and with what', async () => {
    const { code, stdout, stderr } = await runProgram(named('--help'))
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    for (const word of [
      'add, list or remove',
      'standard input',
      '--title',
      '--kind',
      '--contract',
      '--data-dir',
    ])
      expect(stdout).toContain(word)
  })

  test('added by the command line, listed, found in context, and removed, at a running sidecar', async () => {
    const empty = await runProgram(named('list', ...http()))
    expect(empty).toMatchObject({ code: 0, stdout: expect.stringContaining('No documents.\n') })
    const add = await runProgram(
      named('add', files.abi, '--contract', token, '--title', 'Test token', ...http()),
    )
    expect(add).toMatchObject({ code: 0, stderr: '' })
    expect(add.stdout).toMatch(
      new RegExp(`^added {2}[0-9a-f]{32} {2}abi {2}Test token of ${token} \\(1 parts, 1 calls named\\)\\n$`),
    )
    const again = await runProgram(named('add', files.abi, '--contract', token, ...http()))
    expect(again.stdout).toMatch(/^known {2}[0-9a-f]{32} {2}abi {2}Test token of /)
    const both = await runProgram(named('add', files.runbook, files.source, '--json', ...http()))
    const { added } = documentOf<{ added: readonly DocumentAdded[] }>(both)
    expect(added.map(({ isNew, document }) => [isNew, document.kind, document.title])).toEqual([
      [true, 'note', 'runbook.md'],
      [true, 'source', 'Token.sol'],
    ])
    const listed = await runProgram(named('list', '--json', ...http()))
    const { documents } = documentOf<{ documents: readonly DocumentSummary[] }>(listed)
    expect(documents.map(({ title }) => title)).toEqual(['Test token', 'runbook.md', 'Token.sol'])

    const asked = await runProgram(['context', 'who is paged when the bridge halts', '--json', ...http()])
    const answer = documentOf<ContextAnswer>(asked)
    expect(answer.items[0]).toMatchObject({
      kind: 'document',
      untrusted: true,
      facts: { title: 'runbook.md' },
    })
    const named_ = await runProgram(['context', 'Test token transfers', '--json', ...http()])
    expect(
      documentOf<ContextAnswer>(named_).items.some(({ facts }) => facts.call === 'transfer(address,uint256)'),
    ).toBe(true)

    for (const { id, title } of documents) {
      const removed = await runProgram(named('remove', id, ...http()))
      expect(removed.stdout).toContain(`removed  ${id}`)
      expect(removed.stdout).toContain(title)
    }
    expect((await runProgram(named('list', ...http()))).stdout).toContain('No documents.\n')
  }, 120_000)

  test('what cannot be done is said, with an exit code, and nothing is changed', async () => {
    const id = '0'.repeat(32)
    const cases: readonly (readonly [readonly string[], number, string, string])[] = [
      [named('frobnicate'), 2, 'DOCUMENTS_USAGE', "got 'frobnicate'"],
      [named('add'), 2, 'DOCUMENTS_USAGE', 'name files'],
      [named('remove'), 2, 'DOCUMENTS_USAGE', 'name the ids'],
      [named('list', 'x'), 2, 'DOCUMENTS_USAGE', 'takes no names'],
      [
        named('add', files.runbook, files.source, '--title', 'x'),
        2,
        'DOCUMENTS_USAGE',
        '--title is for one file',
      ],
      [named('add', '-'), 2, 'DOCUMENTS_USAGE', 'needs --title'],
      [named('add', files.runbook, '--kind', 'novel'), 2, 'DOCUMENTS_USAGE', "got 'novel'"],
      [named('add', join(folder.path, 'nowhere.md')), 2, 'DOCUMENT_FILE', 'nowhere.md cannot be added'],
      [named('add', files.binary), 2, 'DOCUMENT_FILE', 'no text in UTF-8'],
      [named('add', files.runbook, '--contract', '0x12'), 2, 'DOCUMENT_INVALID', '40 hex digits'],
      [named('add', files.source, '--kind', 'abi'), 2, 'DOCUMENT_INVALID', 'ABI'],
      [named('remove', id), 2, 'DOCUMENT_NOT_FOUND', 'the id of a document'],
    ]
    for (const [args, code, error, words] of cases) {
      const ended = await runProgram([...args, '--json', ...http()])
      expect.soft({ args, code: ended.code, error: errorOf(ended).code }).toEqual({ args, code, error })
      expect.soft(ended.stderr, args.join(' ')).toContain(words)
    }
    expect((await runProgram(named('list', ...http()))).stdout).toContain('No documents.\n')
  }, 120_000)

  test('over HTTP: 201, 200, the list, 404; what is malformed has its own words', async () => {
    const post = (body: unknown, type = 'application/json') =>
      fetch(`${doors.url}/documents`, {
        method: 'POST',
        headers: { 'content-type': type },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      })
    const note = { title: 'Note', kind: 'note', text: runbook }
    const first = await post(note)
    const { document } = (await first.json()) as DocumentAdded
    expect(first.status).toBe(201)
    expect((await post({ ...note, title: 'Renamed' })).status).toBe(200)
    expect(await (await fetch(`${doors.url}/documents`)).json()).toMatchObject({ documents: [document] })
    const cases: readonly (readonly [unknown, string, number, string])[] = [
      [note, 'text/plain', 415, 'BAD_TYPE'],
      ['{', 'application/json', 400, 'BAD_JSON'],
      [[note], 'application/json', 400, 'BAD_JSON'],
      [{ ...note, more: 1 }, 'application/json', 400, 'BAD_DOCUMENT'],
      [{ ...note, text: 5 }, 'application/json', 400, 'BAD_DOCUMENT'],
      [{ ...note, contract: 5 }, 'application/json', 400, 'BAD_DOCUMENT'],
      [{ ...note, kind: 'novel' }, 'application/json', 400, 'DOCUMENT_INVALID'],
      [{ ...note, text: 'x'.repeat(2 ** 20 + 1) }, 'application/json', 413, 'DOCUMENT_TOO_LARGE'],
    ]
    for (const [body, type, status, code] of cases) {
      const response = await post(body, type)
      const { error } = (await response.json()) as { error: { code: string } }
      expect.soft({ status: response.status, code: error.code }).toEqual({ status, code })
    }
    expect(await announced(`${doors.url}/documents`, 2 ** 22 + 1)).toBe(413)
    const remove = (id: string) =>
      fetch(`${doors.url}/documents/${encodeURIComponent(id)}`, { method: 'DELETE' })
    expect((await remove("' OR TRUE --")).status).toBe(404)
    expect(await (await remove(document.id)).json()).toEqual({ removed: document })
    expect((await remove(document.id)).status).toBe(404)
  })

  test('in the folder itself where no sidecar writes it; a running one keeps it', async () => {
    await using own = await temporaryFolder()
    const apart = await doors.another(['--data-dir', own.path])
    await doors.settled(apart.program)
    const inFolder = (...args: readonly string[]) => [...args, '--data-dir', own.path]
    const busy = await runProgram(inFolder(...named('add', files.runbook, '--json')))
    expect({ code: busy.code, error: errorOf(busy).code }).toEqual({ code: 3, error: 'STORE_IN_USE' })
    await apart[Symbol.asyncDispose]()
    const fromInput = await withInput(inFolder(...named('add', '-', '--title', 'Pasted', '--json')), runbook)
    const { added } = documentOf<{ added: readonly DocumentAdded[] }>(fromInput)
    expect(added[0]).toMatchObject({ isNew: true, document: { title: 'Pasted', kind: 'note', parts: 1 } })
    const found = await runProgram(inFolder('context', 'guardian', '--json'))
    expect(documentOf<ContextAnswer>(found).items[0]?.facts.title).toBe('Pasted')
    const listed = await runProgram(inFolder(...named('list')))
    expect(listed.stdout).toContain('Pasted')
    const nowhere = await runProgram(named('list', '--data-dir', join(own.path, 'nowhere'), '--json'))
    expect({ code: nowhere.code, error: errorOf(nowhere).code }).toEqual({ code: 3, error: 'STORE_MISSING' })
  }, 120_000)
})
