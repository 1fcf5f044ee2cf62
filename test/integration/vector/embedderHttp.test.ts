import { gzipSync } from 'node:zlib'
import pino from 'pino'
import { describe, expect, test } from 'vitest'
import { EmbedderError } from '../../../vector/embed/embedderError.ts'
import { createHttpEmbedder, type HttpEmbedderOptions } from '../../../vector/embed/httpEmbedder.ts'
import { checkEmbedder, openEmbedder, reopenEmbedder } from '../../../vector/embed/openEmbedder.ts'
import { createQuestionVectors } from '../../../vector/embed/questionVectors.ts'
import { type Behaviour, goodAnswer, sendJson, startEmbedderServer, vectorOf } from './embedderServer.ts'

const dimensions = 8
const key = 'sk-very-secret-0123456789'

/** An embedder of a server, quick to try again, and all that it logged. */
function embedderOf(url: string, changes: Partial<HttpEmbedderOptions> = {}, now?: () => number) {
  const lines: string[] = []
  const logger = pino({ level: 'trace' }, { write: (line) => lines.push(line) })
  const embedder = createHttpEmbedder(
    { url, model: 'test-model', dimensions, retryMinMs: 1, apiKey: key, ...changes },
    { logger, random: () => 0.5, ...(now && { now }) },
  )
  return { embedder, log: () => lines.join('') }
}

const texts = (count: number) => Array.from({ length: count }, (_, index) => `text ${index}`)
const vectors = (list: readonly string[]) => list.map((text) => vectorOf(text, dimensions))
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'answered',
    (error: unknown) => {
      expect(error).toBeInstanceOf(EmbedderError)
      expect((error as Error).message).not.toContain(key)
      return (error as EmbedderError).code
    },
  )
/** Does the one thing for the first turns, then answers well. */
const first = (turns: number, behaviour: Behaviour) => (turn: number) =>
  turn < turns ? behaviour : undefined
const always = (behaviour: Behaviour) => () => behaviour

describe('an OpenAI-compatible endpoint', () => {
  test('gives a vector for each text, in order', async () => {
    await using server = await startEmbedderServer(dimensions)
    const { embedder, log } = embedderOf(server.url, { batchTexts: 10, concurrency: 3 })
    const asked = texts(95)
    expect(await embedder.embed(asked)).toEqual(vectors(asked))
    expect(server.asked).toHaveLength(10)
    expect(server.mostAtOnce()).toBeLessThanOrEqual(3)
    expect(server.asked[0]).toMatchObject({ path: '/v1/embeddings', model: 'test-model' })
    expect(server.asked[0]!.headers.authorization).toBe(`Bearer ${key}`)
    expect(log()).not.toContain(key)
    expect(await embedder.embed([])).toEqual([])
    expect(server.asked).toHaveLength(10)
  })

  test('takes the root with a slash, with its door, or with a query, and sends no key where there is none', async () => {
    await using server = await startEmbedderServer(dimensions)
    for (const url of [`${server.url}/`, `${server.url}/embeddings`, `${server.url}?version=1`])
      await embedderOf(url, { apiKey: undefined }).embedder.embed(['a'])
    expect(server.asked.map(({ path }) => path)).toEqual([
      '/v1/embeddings',
      '/v1/embeddings',
      '/v1/embeddings?version=1',
    ])
    expect(server.asked[0]!.headers.authorization).toBeUndefined()
  })

  test('bounds requests over all calls together, and batches by tokens', async () => {
    await using server = await startEmbedderServer(
      dimensions,
      always((_, __, answer) => setImmediate(answer)),
    )
    const { embedder } = embedderOf(server.url, { batchTexts: 100, batchTokens: 10, concurrency: 2 })
    const calls = Array.from({ length: 5 }, (_, call) =>
      embedder.embed(texts(4).map((text) => `${text} of call ${call}`)),
    )
    expect((await Promise.all(calls)).flat()).toHaveLength(20)
    // Of 17 characters each, and 30 make 10 tokens: one a request.
    expect(server.asked.map(({ input }) => input.length)).toEqual(Array.from({ length: 20 }, () => 1))
    expect(server.mostAtOnce()).toBe(2)
    expect(await codeOf(embedder.embed(['x'.repeat(31)]))).toBe('TEXT_TOO_LONG')
  })

  test('puts an answer in wrong order right', async () => {
    const reversed: Behaviour = (asked, response) => {
      const answer = goodAnswer(asked, dimensions)
      sendJson(response, 200, { ...answer, data: answer.data.toReversed() })
    }
    await using server = await startEmbedderServer(dimensions, always(reversed))
    const { embedder } = embedderOf(server.url)
    expect(await embedder.embed(texts(20))).toEqual(vectors(texts(20)))
  })

  test('halves what is too much for the endpoint', async () => {
    const atMost3: Behaviour = ({ input }, response, answer) =>
      input.length > 3 ? sendJson(response, 413, { error: 'Batch size error' }) : answer()
    await using server = await startEmbedderServer(dimensions, always(atMost3))
    const { embedder } = embedderOf(server.url, { batchTexts: 16 })
    expect(await embedder.embed(texts(20))).toEqual(vectors(texts(20)))
    expect(await codeOf(embedder.embed(['a']))).toBe('answered')
  })

  test.each<[string, Behaviour]>([
    ['429', (_, response) => sendJson(response, 429, { error: { message: 'slow down' } })],
    ['429 that says when', (_, response) => sendJson(response, 429, {}, { 'retry-after': '0.02' })],
    ['500', (_, response) => sendJson(response, 500, { error: 'oops' })],
    ['503', (_, response) => response.writeHead(503).end('busy')],
    ['a connection that is dropped', (_, response) => response.destroy()],
    [
      'an answer cut in the middle of its body',
      (asked, response) => {
        const body = JSON.stringify(goodAnswer(asked, dimensions))
        response
          .writeHead(200, { 'content-length': body.length })
          .write(body.slice(0, body.length / 2), () => {
            response.destroy()
          })
      },
    ],
    ['an answer that is half JSON', (_, response) => response.writeHead(200).end('{"data": [')],
    ['a page for people', (_, response) => response.writeHead(200).end('<html>Bad gateway</html>')],
  ])('tries again after %s', async (_, behaviour) => {
    await using server = await startEmbedderServer(dimensions, first(2, behaviour))
    const { embedder, log } = embedderOf(server.url)
    expect(await embedder.embed(['a'])).toEqual(vectors(['a']))
    expect(server.asked).toHaveLength(3)
    expect(log()).toContain('tried again')
  })

  test('waits as long as it is asked to, and a little more', async () => {
    const busy: Behaviour = (_, response) => sendJson(response, 429, {}, { 'retry-after': '0.05' })
    await using server = await startEmbedderServer(dimensions, first(1, busy))
    const { embedder, log } = embedderOf(server.url, { retryMinMs: 20 })
    await embedder.embed(['a'])
    expect(log()).toContain('"waitMs":60,')
  })

  test('does not wait longer than allowed: it tells how long it was asked to', async () => {
    const later: Behaviour = (_, response) => sendJson(response, 429, {}, { 'retry-after': '3600' })
    await using server = await startEmbedderServer(dimensions, always(later))
    const { embedder } = embedderOf(server.url)
    await expect(embedder.embed(['a'])).rejects.toMatchObject({
      code: 'OVERLOADED',
      mayPass: true,
      retryAfterMs: 3_600_000,
    })
    expect(server.asked).toHaveLength(1)
  })

  test.each<[string, string, Behaviour]>([
    [
      'wrong dimensions',
      'WRONG_DIMENSIONS',
      (asked, response) => sendJson(response, 200, goodAnswer(asked, 7)),
    ],
    [
      'NaN, as JSON has it',
      'BAD_ANSWER',
      (asked, response) => {
        const answer = goodAnswer(asked, dimensions)
        answer.data[0]!.embedding[4] = Number.NaN
        sendJson(response, 200, answer)
      },
    ],
    ['fewer vectors than texts', 'BAD_ANSWER', (_, response) => sendJson(response, 200, { data: [] })],
    [
      'a refused key',
      'REFUSED',
      (_, response) => sendJson(response, 401, { error: `Incorrect API key: ${key}` }),
    ],
    ['an unknown model', 'REFUSED', (_, response) => sendJson(response, 404, { error: 'no model' })],
    [
      'another address',
      'REFUSED',
      (_, response) => response.writeHead(302, { location: '/elsewhere' }).end(),
    ],
    [
      'a body without end',
      'ANSWER_TOO_LARGE',
      (_, response) => {
        response.writeHead(200)
        const more = () => {
          while (response.write('x'.repeat(65_536)));
        }
        response.on('drain', more)
        more()
      },
    ],
    [
      'a small body that unpacks to a huge one',
      'ANSWER_TOO_LARGE',
      (_, response) =>
        response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(50_000_000))),
    ],
  ])('gives up at once on %s', async (_, code, behaviour) => {
    await using server = await startEmbedderServer(dimensions, always(behaviour))
    const { embedder, log } = embedderOf(server.url)
    expect(await codeOf(embedder.embed(['a', 'b']))).toBe(code)
    expect(server.asked).toHaveLength(1)
    expect(log()).not.toContain(key)
  })

  test('a slow answer is cut off, at its head and in its middle', async () => {
    await using server = await startEmbedderServer(
      dimensions,
      always(({ input }, response) => {
        if (input[0] === 'middle') response.writeHead(200).write('{"data": [')
      }),
    )
    for (const text of ['head', 'middle']) {
      const { embedder, log } = embedderOf(server.url, { timeoutMs: 50, retries: 1 })
      expect(await codeOf(embedder.embed([text]))).toBe('TIMED_OUT')
      expect(log().match(/tried again/g)).toHaveLength(1)
    }
  })

  test('nobody there is told as such, with what the system says', async () => {
    const gone = await startEmbedderServer(dimensions)
    await gone[Symbol.asyncDispose]()
    const { embedder } = embedderOf(gone.url, { retries: 1 })
    await expect(embedder.embed(['a'])).rejects.toMatchObject({
      code: 'UNREACHABLE',
      mayPass: true,
      message: expect.stringContaining('ECONNREFUSED'),
    })
  })

  test('the caller’s signal ends it: before, while it waits for an answer, and between attempts', async () => {
    await using server = await startEmbedderServer(dimensions, (turn) => (_, response) => {
      if (turn > 0) sendJson(response, 500, {})
    })
    const reason = new Error('enough')
    const { embedder } = embedderOf(server.url, { retryMinMs: 60_000, retryMaxMs: 60_000 })
    await expect(embedder.embed(['a'], AbortSignal.abort(reason))).rejects.toBe(reason)
    expect(server.asked).toHaveLength(0)
    for (const requests of [1, 2]) {
      const giveUp = new AbortController()
      const embedding = embedder.embed(['a'], giveUp.signal)
      await expect.poll(() => server.asked.length).toBe(requests)
      giveUp.abort(reason)
      await expect(embedding).rejects.toBe(reason)
    }
  })

  test('one failed batch ends the call, and the others with it', async () => {
    await using server = await startEmbedderServer(dimensions, (turn) =>
      turn === 1 ? (_, response) => sendJson(response, 400, {}) : undefined,
    )
    const { embedder } = embedderOf(server.url, { batchTexts: 1, concurrency: 1 })
    expect(await codeOf(embedder.embed(texts(50)))).toBe('REFUSED')
    expect(server.asked).toHaveLength(2)
  })

  test('leaves a failing endpoint alone, tries it once, and comes back', async () => {
    let time = 0
    let isIll = true
    await using server = await startEmbedderServer(
      dimensions,
      always((_, response, answer) => (isIll ? sendJson(response, 500, {}) : answer())),
    )
    const changes = { retries: 0, breakerFailures: 3, breakerOpenMs: 1_000 }
    const { embedder, log } = embedderOf(server.url, changes, () => time)
    const ask = () => codeOf(embedder.embed(['a']))
    for (let count = 0; count < 3; count++) expect(await ask()).toBe('SERVER_FAILED')
    for (let count = 0; count < 3; count++) expect(await ask()).toBe('CIRCUIT_OPEN')
    expect(server.asked).toHaveLength(3)
    time += 1_000
    const together = await Promise.all([ask(), ask(), ask()])
    expect(together.sort()).toEqual(['CIRCUIT_OPEN', 'CIRCUIT_OPEN', 'SERVER_FAILED'])
    expect(server.asked).toHaveLength(4)
    isIll = false
    expect(await ask()).toBe('CIRCUIT_OPEN')
    time += 1_000
    expect(await ask()).toBe('answered')
    expect(await Promise.all([ask(), ask()])).toEqual(['answered', 'answered'])
    expect(log()).toMatch(/left alone[\s\S]*answers again/)
  })

  test('an endpoint that lets its callers wait too long is left alone too, one whose callers change their minds is not', async () => {
    await using server = await startEmbedderServer(
      dimensions,
      always(() => undefined),
    )
    const changes = { retries: 0, breakerFailures: 2 }
    const slow = embedderOf(server.url, changes).embedder
    for (let count = 0; count < 2; count += 1)
      await expect(slow.embed(['a'], AbortSignal.timeout(30))).rejects.toMatchObject({ name: 'TimeoutError' })
    expect(await codeOf(slow.embed(['a']))).toBe('CIRCUIT_OPEN')
    const left = embedderOf(server.url, changes).embedder
    for (let count = 0; count < 3; count += 1) {
      const before = server.asked.length
      const giveUp = new AbortController()
      const embedding = left.embed(['a'], giveUp.signal)
      await expect.poll(() => server.asked.length).toBe(before + 1)
      giveUp.abort(new Error('enough'))
      await expect(embedding).rejects.toThrow('enough')
    }
  })

  test('busy is not ill: 429 opens no circuit', async () => {
    const busy: Behaviour = (_, response) => sendJson(response, 429, {})
    await using server = await startEmbedderServer(dimensions, first(20, busy))
    const { embedder } = embedderOf(server.url, { retries: 4, breakerFailures: 1 })
    for (let count = 0; count < 4; count++) expect(await codeOf(embedder.embed(['a']))).toBe('OVERLOADED')
    expect(await codeOf(embedder.embed(['a']))).toBe('answered')
  })
})

describe('opening an embedder', () => {
  const deps = { logger: pino({ level: 'silent' }) }
  const http = { kind: 'http', url: 'http://127.0.0.1:1/v1', model: 'bge-m3', dimensions } as const

  test('a check tells a wrong configuration from an endpoint that is not there yet', async () => {
    await using server = await startEmbedderServer(dimensions + 1)
    const open = (url: string) => openEmbedder({ ...http, url, retries: 0 }, deps)
    await expect(checkEmbedder(open(server.url))).rejects.toMatchObject({
      code: 'WRONG_DIMENSIONS',
      mayPass: false,
      facts: { expected: 8, came: 9 },
    })
    await expect(checkEmbedder(open(http.url))).rejects.toMatchObject({ mayPass: true })
    await checkEmbedder(openEmbedder({ kind: 'hash' }, deps))
  })

  test('refuses options that cannot be, all at once and without the key', () => {
    const wrong = {
      ...http,
      url: 'ftp://x',
      model: 'a b',
      dimensions: 0,
      timeoutMs: -1,
      apiKey: 'secret key',
    }
    const opening = () => openEmbedder(wrong, deps)
    expect(opening).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }))
    expect(opening).toThrow(/dimensions.*timeoutMs.*model name.*URL.*API key/)
    expect(opening).not.toThrow(/secret key/)
    const account = { ...http, url: 'http://user:pass@host' }
    expect(() => openEmbedder(account, deps)).toThrow('without account')
  })

  test('an id names model, version and dimensions, and opens the embedder of an old table again', () => {
    const small = openEmbedder({ ...http, model: 'BAAI/bge-small-en:v1.5', version: '2' }, deps)
    expect(small.id).toBe('http:BAAI/bge-small-en:v1.5-8/2')
    const again = reopenEmbedder({ id: small.id, dimensions: 8 }, http, deps)
    expect(again?.id).toBe(small.id)
    expect(reopenEmbedder({ id: 'text-hash-512/1', dimensions: 512 }, http, deps)?.dimensions).toBe(512)
    expect(reopenEmbedder({ id: small.id, dimensions: 9 }, http, deps)).toBeUndefined()
    expect(reopenEmbedder({ id: small.id, dimensions: 8 }, { kind: 'hash' }, deps)).toBeUndefined()
    expect(reopenEmbedder({ id: 'text-hash-512/0', dimensions: 512 }, http, deps)).toBeUndefined()
  })
})

describe('vectors of questions', () => {
  const record = { id: 'test-8/1', dimensions }
  const signal = new AbortController().signal

  test('are asked for once, each text and embedder for itself', async () => {
    await using server = await startEmbedderServer(dimensions)
    const { embedder } = embedderOf(server.url)
    const vectorsOf = createQuestionVectors(() => embedder, { waitMs: 5_000, signal })
    for (let count = 0; count < 3; count += 1)
      expect(await vectorsOf('why', record)).toEqual(vectorOf('why', dimensions))
    await vectorsOf('when', record)
    await vectorsOf('why', { ...record, id: 'test-8/2' })
    expect(server.asked.map(({ input }) => input)).toEqual([['why'], ['when'], ['why']])
  })

  test('are waited for so long, and no failure is remembered', async () => {
    let isSlow = true
    await using server = await startEmbedderServer(
      dimensions,
      always((_, __, answer) => {
        if (!isSlow) answer()
      }),
    )
    const { embedder } = embedderOf(server.url)
    const within = (waitMs: number) =>
      createQuestionVectors(() => embedder, { waitMs, signal })('why', record)
    await expect(within(50)).rejects.toMatchObject({ code: 'TIMED_OUT', mayPass: true })
    isSlow = false
    expect(await within(60_000)).toEqual(vectorOf('why', dimensions))
    const unknown = createQuestionVectors(() => undefined, { waitMs: 50, signal })
    await expect(unknown('why', record)).rejects.toThrow(
      'their vectors are of test-8/1, which is not configured',
    )
  })
})
