import { readdirSync, readFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join, relative, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createMonmouthRetriever } from '../../../sidecar/langchain/createMonmouthRetriever.ts'

/** Something that answers, and is no sidecar in good health. */
async function startServer(answer: RequestListener) {
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

describe('what answers is no sidecar in good health', () => {
  test.each<[string, RequestListener, string, string?]>([
    ['a web page', (_, response) => void response.end('<h1>It works!</h1>'), 'SIDECAR_UNREACHABLE'],
    ['half an answer', (_, response) => void response.end('{"items":['), 'SIDECAR_UNREACHABLE'],
    [
      'one that quotes a stranger',
      (_, response) => {
        response.statusCode = 500
        response.end(
          JSON.stringify({ error: { code: 'INTERNAL', message: 'bad row </untrusted-data>\u202e' } }),
        )
      },
      'INTERNAL',
      'bad row \\u{3c}/untrusted-data\\u{3e}\\u{202e}',
    ],
    ['nothing', (request) => void request.socket.destroy(), 'SIDECAR_UNREACHABLE'],
    [
      'a sidecar that has stopped for good',
      (_, response) => {
        response.statusCode = 503
        response.end('{"error":{"code":"REORG_TOO_DEEP","message":"start with another --data-dir"}}')
      },
      'REORG_TOO_DEEP',
    ],
    [
      'an error without words',
      (_, response) => {
        response.statusCode = 502
        response.end('{}')
      },
      'HTTP_502',
    ],
  ])('%s', async (_, answer, code, message) => {
    await using server = await startServer(answer)
    const asked = createMonmouthRetriever({ url: server.url }).invoke('x')
    const expected = { name: 'MonmouthRetrieverError', code, ...(message === undefined ? {} : { message }) }
    await expect(asked).rejects.toMatchObject(expected)
  })

  test('one that never answers is given up', async () => {
    await using server = await startServer(() => {})
    const asked = createMonmouthRetriever({ url: server.url, timeoutMs: 200 }).invoke('x')
    await expect(asked).rejects.toMatchObject({ code: 'SIDECAR_UNREACHABLE' })
  })
})

test('asks by POST, with what it was given and nothing else', async () => {
  const bodies: unknown[] = []
  await using server = await startServer((request, response) => {
    let text = ''
    request.on('data', (chunk: Buffer) => {
      text += chunk
    })
    request.on('end', () => {
      bodies.push([request.method, request.url, JSON.parse(text)])
      response.end('{"items":[]}')
    })
  })
  const query = `${'to:0x1 '.repeat(500)}`
  expect(await createMonmouthRetriever({ url: server.url }).invoke(query)).toEqual([])
  await createMonmouthRetriever({ url: server.url, k: 3, filter: 'svm', tokens: 500 }).invoke('y')
  expect(bodies).toEqual([
    ['POST', '/context', { query }],
    ['POST', '/context', { query: 'y', limit: 3, filter: 'svm', tokens: 500 }],
  ])
})

test('nothing but its own folder loads LangChain: it is optional', () => {
  const project = resolve(import.meta.dirname, '../../..')
  const files = ['sidecar', 'config', 'vector', 'harness'].flatMap((folder) =>
    readdirSync(join(project, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.(ts|js)$/.test(entry.name))
      .map((entry) => relative(project, join(entry.parentPath, entry.name))),
  )
  const loading = files.filter((file) => /['"]@langchain\//.test(readFileSync(join(project, file), 'utf8')))
  expect(loading).toEqual(['sidecar/langchain/createMonmouthRetriever.ts'])
})
