import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Explanation } from '../../../sidecar/explain/explainDecision.ts'
import { readEvents } from '../../../sidecar/explain/readEvents.ts'
import { type ChatExchange, done, startChatServer } from '../../support/doors/startChatServer.ts'
import { documentOf, errorOf } from '../../support/program/programAnswers.ts'
import { runProgram } from '../../support/program/startProgram.ts'
import { spawnCommand } from './spawnCommand.ts'
import { type Doors, injection, known, startDoors } from './startDoors.ts'

let doors: Doors
beforeAll(async () => {
  doors = await startDoors()
})
afterAll(() => doors[Symbol.asyncDispose]())

const explain = (hash: string, ...flags: string[]) =>
  runProgram(['explain', hash, '--http', doors.url.replace('http://', ''), ...flags])

const wellSaid = async (exchange: ChatExchange) => {
  exchange.open()
  for (const text of ['It was left to ', 'the EVM [2].\nIt also cites ', '[77] \u001b[31mred.'])
    await exchange.say(text)
  await exchange.send(done)
  exchange.response.end()
}

describe('GET /explain/:hash', () => {
  test('gives the same facts each time: no model, no clock', async () => {
    const [first, second] = await Promise.all([
      fetch(`${doors.url}/explain/${known.moved}`).then((response) => response.text()),
      fetch(`${doors.url}/explain/${known.moved}`).then((response) => response.text()),
    ])
    expect(first).toBe(second)
    const explanation = JSON.parse(first!) as Explanation & { model: null }
    expect(explanation.model).toBeNull()
    expect(explanation).toMatchObject({ state: 'head', decision: { route: 'executeOnEvm' } })
    expect(explanation.history.map(({ state }) => state)).toEqual(['head', 'undone'])
    const { body } = await doors.program.get(`/decisions/${known.moved}`)
    const [decided] = body as { reason: string; rule: string; confidence: number }[]
    expect(explanation.decision).toMatchObject({ rule: decided!.rule, confidence: decided!.confidence })
    expect(explanation.facts[2]!.text).toContain(decided!.reason)
  })

  test.each([
    ['/explain/0x12', 400, 'BAD_HASH'],
    [`/explain/0x${'0'.repeat(64)}`, 404, 'NOT_FOUND'],
    ['/similar/xyz', 400, 'BAD_NAME'],
    [`/similar/0x${'0'.repeat(64)}`, 404, 'NOT_FOUND'],
    [`/similar/${'0'.repeat(32)}`, 404, 'NOT_FOUND'],
    [`/similar/${known.moved}?limit=0`, 400, 'BAD_LIMIT'],
    [`/similar/${known.moved}?tokens=x`, 400, 'BAD_TOKENS'],
    ['/reorgs?limit=x', 400, 'BAD_LIMIT'],
    ['/neighbours/latest', 400, 'QUERY_INVALID'],
    [`/neighbours/0x${'00'.repeat(20)}?hops=9`, 400, 'QUERY_INVALID'],
    [`/neighbours/0x${'00'.repeat(20)}?kinds=calls,hates`, 400, 'QUERY_INVALID'],
  ])('%s answers %i %s', async (path, status, code) => {
    expect(await doors.program.get(path)).toMatchObject({ status, body: { error: { code } } })
  })

  test('rows like a row are found by its id too, also for a pattern', async () => {
    const { body } = await doors.program.get('/context?query=kind:pattern&limit=1')
    const [pattern] = (body as { items: { id: string; kind: string }[] }).items
    expect(pattern).toMatchObject({ kind: 'pattern' })
    const found = await doors.program.get(`/similar/${pattern!.id}?limit=3`)
    expect(found).toMatchObject({ status: 200, body: { of: { id: pattern!.id, kind: 'pattern' } } })
    const { items } = found.body as { items: { id: string }[] }
    expect(items.length).toBeGreaterThan(0)
    expect(items.map(({ id }) => id)).not.toContain(pattern!.id)
  })
})

describe('the command explain', () => {
  test('without an endpoint gives the facts, and says that they are all', async () => {
    const text = await explain(known.moved)
    expect(text.code, text.stderr).toBe(0)
    expect(text.stdout).toContain(`[1] The transaction ${known.moved} is at place 0 of block`)
    expect(text.stdout).toContain('which a reorg undid')
    expect(text.stdout).toContain('No chat endpoint is configured')
    const json = await explain(known.moved, '--json')
    expect(documentOf(json)).toMatchObject({
      answer: null,
      note: expect.stringContaining('No chat endpoint'),
    })
  })

  test('with one adds its words, marked as its own, with what they cite', async () => {
    await using chat = await startChatServer(wellSaid)
    const { code, stdout, stderr } = await explain(
      known.injected,
      '--chat-url',
      chat.url,
      '--model',
      'small:1b',
    )
    expect(code, stderr).toBe(0)
    const [facts, words] = stdout.split('\nIn the words of the model small:1b, which decided nothing:\n')
    expect(facts).toContain('[2] Decision: leave to the EVM')
    // Every line of it is marked, and what would move the cursor is shown as text.
    expect(words).toBe(
      '  | It was left to the EVM [2].\n  | It also cites [77] \\u{1b}[31mred.\nIt cites [2]. There is no fact [77].\n',
    )
    const { messages, model } = chat.exchanges[0]!.body
    expect(model).toBe('small:1b')
    const [, user] = messages
    // The text that would command the model is between the marks, and only there.
    expect(user!.content).toMatch(
      /<untrusted-data>[^<>]*Ignore previous instructions[^<>]*<\/untrusted-data>/,
    )
    expect(user!.content.split('Ignore previous')).toHaveLength(2)
    const outside = user!.content.replaceAll(/<untrusted-data>[^<>]*<\/untrusted-data>/g, '')
    expect(outside).not.toMatch(/[<>]|Ignore previous/)
    expect(user!.content).not.toContain(injection)
  })

  test('as JSON: one document, with the answer apart from the facts', async () => {
    await using chat = await startChatServer(wellSaid)
    const ended = await explain(known.transfer, '--chat-url', chat.url, '--model', 'small', '--json')
    expect(ended.code, ended.stderr).toBe(0)
    expect(documentOf(ended)).toMatchObject({
      decision: { route: 'executeOnEvm' },
      answer: {
        by: 'model',
        model: 'small',
        text: 'It was left to the EVM [2].\nIt also cites [77] \u001b[31mred.',
        cited: [2],
        unknown: [77],
        error: null,
      },
    })
  })

  test('an endpoint that fails in the middle: the facts stand, what it said is kept, the exit code says it', async () => {
    await using chat = await startChatServer(async (exchange) => {
      exchange.open()
      await exchange.say('It was ')
      await exchange.send('data: {"error":{"message":"out of memory"}}\n\n')
    })
    const { code, stdout, stderr } = await explain(known.transfer, '--chat-url', chat.url, '--model', 'small')
    expect(code).toBe(1)
    expect(stdout).toContain('[2] Decision: leave to the EVM')
    expect(stdout).toContain('  | It was \nThe answer is not whole.')
    expect(stderr).toContain('out of memory')
  })

  test('interrupted in the middle it ends the request, and keeps what was said', async () => {
    await using chat = await startChatServer(async (exchange) => {
      exchange.open()
      await exchange.say('It was ')
    })
    await using command = spawnCommand(
      ...['explain', known.transfer, '--http', doors.url.replace('http://', '')],
      ...['--chat-url', chat.url, '--model', 'small'],
    )
    await expect.poll(command.stdout, { timeout: 30_000 }).toContain('| It was ')
    command.child.kill('SIGINT')
    await chat.exchanges[0]!.gone
    expect(await command.ended, command.stderr()).toBe(1)
    expect(command.stdout()).toContain('The answer is not whole.')
  })

  test('a hash that is none, or of no decision, and a sidecar that is not there, each say so', async () => {
    const none = await explain(`0x${'0'.repeat(64)}`, '--json')
    expect({ code: none.code, error: errorOf(none) }).toMatchObject({ code: 1, error: { code: 'NOT_FOUND' } })
    const bad = await explain('latest/../status', '--json')
    expect(errorOf(bad)).toMatchObject({ code: 'BAD_HASH' })
    const away = await runProgram(['explain', known.moved, '--http', '127.0.0.1:1'])
    expect(away.code).toBe(4)
    expect(away.stderr).toContain('No sidecar answers')
    const half = await explain(known.moved, '--chat-url', 'http://127.0.0.1:1/v1')
    expect(half.code).toBe(2)
    expect(half.stderr).toContain('chat.model')
  })
})

describe('/explain/:hash as a stream', () => {
  const open = (url: string, headers: Record<string, string> = {}, signal?: AbortSignal) =>
    fetch(`${url}/explain/${known.transfer}`, {
      headers: { accept: 'text/event-stream', ...headers },
      ...(signal ? { signal } : {}),
    })
  const eventsOf = async (response: Response) =>
    (await Array.fromAsync(readEvents(response.body!))).map(({ type, data }) => ({
      type,
      data: JSON.parse(data),
    }))

  test('without an endpoint: the facts, and that they are all', async () => {
    const events = await eventsOf(await open(doors.url))
    expect(events.map(({ type }) => type)).toEqual(['facts', 'done'])
    expect(events[1]!.data).toMatchObject({ model: null, message: expect.stringContaining('chat.url') })
  })

  test('the facts first, then the words as they come, then what they cite', async () => {
    await using chat = await startChatServer(wellSaid)
    await using asked = await doors.another(['--set', `chat.url=${chat.url}`, '--set', 'chat.model=small'])
    const url = asked.program.address
    await doors.settled(asked.program)
    const plain = await asked.program.get(`/explain/${known.transfer}`)
    expect(plain.body).toMatchObject({ model: 'small' })
    expect(chat.exchanges).toHaveLength(0)

    const events = await eventsOf(await open(url))
    expect(events.map(({ type }) => type)).toEqual(['facts', 'model', 'model', 'model', 'done'])
    expect(events[0]!.data.facts).toEqual((plain.body as Explanation).facts)
    expect(events.at(-1)!.data).toEqual({ model: 'small', cited: [2], unknown: [77] })

    // A page of another site cannot spend the tokens of whoever runs this.
    const foreign: readonly Record<string, string>[] = [
      { 'sec-fetch-site': 'cross-site' },
      { origin: 'https://evil.example' },
      { origin: 'null' },
    ]
    for (const headers of foreign)
      expect((await open(url, headers)).status, JSON.stringify(headers)).toBe(403)
    expect(chat.exchanges).toHaveLength(1)
  })

  test('a failing endpoint ends the stream with why; a reader who leaves ends the request; four at a time', async () => {
    let answer: (exchange: ChatExchange) => Promise<void> | void = async (exchange) => {
      exchange.open()
      await exchange.say('It ')
      exchange.response.destroy()
    }
    await using chat = await startChatServer((exchange) => answer(exchange))
    await using asked = await doors.another(['--set', `chat.url=${chat.url}`, '--set', 'chat.model=small'])
    const url = asked.program.address
    await doors.settled(asked.program)
    const broken = await eventsOf(await open(url))
    expect(broken.map(({ type }) => type)).toEqual(['facts', 'model', 'failed'])
    expect(broken.at(-1)!.data.code).toBe('CHAT_CUT')

    answer = async (exchange) => {
      exchange.open()
      await exchange.say('It ')
    }
    const leaving = new AbortController()
    const streams = await Promise.all([1, 2, 3, 4].map(() => open(url, {}, leaving.signal)))
    const readers = streams.map((response) => readEvents(response.body!))
    for (const reader of readers) {
      expect((await reader.next()).value).toMatchObject({ type: 'facts' })
      expect((await reader.next()).value).toMatchObject({ type: 'model' })
    }
    const fifth = await open(url)
    expect([fifth.status, await fifth.json()]).toMatchObject([429, { error: { code: 'CHAT_BUSY' } }])
    // Facts without a model are given all the same.
    expect((await asked.program.get(`/explain/${known.transfer}`)).status).toBe(200)

    leaving.abort()
    await Promise.all(chat.exchanges.slice(1).map(({ gone }) => gone))
    answer = wellSaid
    await expect.poll(async () => (await open(url)).status).toBe(200)
  })
})
