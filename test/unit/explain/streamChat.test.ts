import { describe, expect, test } from 'vitest'
import { type ChatEndpoint, streamChat } from '../../../sidecar/explain/streamChat.ts'
import {
  type ChatExchange,
  type ChatServer,
  done,
  piece,
  startChatServer,
} from '../../support/doors/startChatServer.ts'

const key = 'sk-secret-0123456789'
const question = [{ role: 'user', content: 'why?' }] as const
const never = new AbortController().signal

function endpoint(server: Pick<ChatServer, 'url'>, more: Partial<ChatEndpoint> = {}): ChatEndpoint {
  return { url: server.url, model: 'small', key, silenceMs: 20_000, maxTokens: 50, ...more }
}

/** All pieces that came, and how it ended. */
async function read(chat: ChatEndpoint, signal = never) {
  const pieces: string[] = []
  try {
    for await (const words of streamChat(chat, question, signal)) pieces.push(words)
    return { pieces, text: pieces.join(''), error: undefined }
  } catch (error) {
    return { pieces, text: pieces.join(''), error: error as Error & { code?: string } }
  }
}

describe('a chat endpoint that behaves', () => {
  test('is asked once, with model, messages and key, and its pieces come in order', async () => {
    await using server = await startChatServer(async (exchange) => {
      exchange.open()
      for (const text of ['It ', 'failed ', '[2].']) await exchange.say(text)
      await exchange.send(done)
      exchange.response.end()
    })
    expect(await read(endpoint(server))).toEqual({
      pieces: ['It ', 'failed ', '[2].'],
      text: 'It failed [2].',
      error: undefined,
    })
    expect(server.exchanges).toHaveLength(1)
    const { path, headers, body } = server.exchanges[0]!
    expect(path).toBe('/v1/chat/completions')
    expect(headers).toMatchObject({ authorization: `Bearer ${key}`, accept: 'text/event-stream' })
    expect(body).toMatchObject({ model: 'small', stream: true, max_tokens: 50, messages: question })
  })

  test.each(['', '/', '/chat/completions'])('its root may be written with %j at the end', async (end) => {
    await using server = await startChatServer(async (exchange) => {
      exchange.open()
      await exchange.send(done)
      exchange.response.end()
    })
    expect((await read(endpoint({ url: server.url + end }))).error).toBeUndefined()
    expect(server.exchanges[0]!.path).toBe('/v1/chat/completions')
  })

  test('sent byte by byte, with CRLF, comments and characters of four bytes, says the same', async () => {
    const text = 'Größe 😀 送金'
    await using server = await startChatServer(async (exchange) => {
      exchange.open()
      const stream = `: hello\r\n\r\n${piece(text).replaceAll('\n', '\r\n')}${piece('')}${done}`
      for (const byte of Buffer.from(stream)) await exchange.send(Buffer.of(byte))
      exchange.response.end()
    })
    expect(await read(endpoint(server))).toMatchObject({ text, error: undefined })
  })

  test('what comes without text is passed over: roles, reasoning, token counts', async () => {
    await using server = await startChatServer(async (exchange) => {
      exchange.open()
      const pieces = [
        { choices: [{ delta: { role: 'assistant', content: null } }] },
        { choices: [{ delta: { reasoning_content: 'hm' } }] },
        { choices: [{ delta: { content: 'yes' }, finish_reason: 'stop' }] },
        { choices: [], usage: { total_tokens: 3 } },
      ]
      for (const each of pieces) await exchange.send(`data: ${JSON.stringify(each)}\n\n`)
      // Without [DONE]: it has said that it is finished.
      exchange.response.end()
    })
    expect(await read(endpoint(server))).toEqual({ pieces: ['yes'], text: 'yes', error: undefined })
  })

  test('one that does not stream gives its answer in one piece', async () => {
    await using server = await startChatServer(({ response }) => {
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ choices: [{ message: { content: 'all at once' } }] }))
    })
    expect(await read(endpoint(server))).toMatchObject({ pieces: ['all at once'], error: undefined })
  })

  test('after [DONE] nothing is waited for: the connection is let go', async () => {
    await using server = await startChatServer(async (exchange) => {
      exchange.open()
      await exchange.say('a')
      await exchange.send(done + piece('b'))
    })
    expect(await read(endpoint(server))).toMatchObject({ text: 'a', error: undefined })
    await server.exchanges[0]!.gone
  })
})

/** What an endpoint does wrong, and what is made of it; `text` is what was said before. */
const misbehaviours: readonly {
  name: string
  answer: (exchange: ChatExchange) => Promise<void> | void
  code: string
  message?: RegExp
  text?: string
}[] = [
  {
    name: 'an error in the middle',
    answer: async (exchange) => {
      exchange.open()
      await exchange.say('It ')
      await exchange.send('data: {"error":{"message":"out of memory\\u001b[2J","code":"oom"}}\n\n')
      exchange.response.end()
    },
    code: 'CHAT_FAILED',
    message: /out of memory\\u\{1b\}/,
    text: 'It ',
  },
  {
    name: 'the stream ends before it is done',
    answer: async (exchange) => {
      exchange.open()
      await exchange.say('It ')
      exchange.response.end()
    },
    code: 'CHAT_CUT',
    message: /before \[DONE\]/,
    text: 'It ',
  },
  {
    name: 'the connection breaks in the middle of an event',
    answer: async (exchange) => {
      exchange.open()
      await exchange.say('It ')
      await exchange.send('data: {"choi')
      exchange.response.destroy()
    },
    code: 'CHAT_CUT',
    text: 'It ',
  },
  {
    name: 'an event that is not JSON',
    answer: async (exchange) => {
      exchange.open()
      await exchange.send('data: <html>\n\n')
    },
    code: 'CHAT_NOT_UNDERSTOOD',
    message: /not JSON: \\u\{3c\}html/,
  },
  {
    name: 'JSON of something else',
    answer: async (exchange) => {
      exchange.open()
      await exchange.send('data: {"ok":true}\n\n')
    },
    code: 'CHAT_NOT_UNDERSTOOD',
    message: /no choices/,
  },
  {
    name: 'a web page',
    answer: ({ response }) => {
      response.setHeader('content-type', 'text/html')
      response.end('<h1>It works!</h1>')
    },
    code: 'CHAT_NOT_UNDERSTOOD',
    message: /came text\/html/,
  },
  {
    name: 'a download that nobody reads',
    answer: ({ response }) => {
      response.setHeader('content-type', 'application/octet-stream')
      response.write(Buffer.alloc(100_000))
    },
    code: 'CHAT_NOT_UNDERSTOOD',
  },
  {
    name: 'an HTTP error that repeats the key',
    answer: ({ response, headers }) => {
      response.statusCode = 401
      response.end(`{"error":{"message":"bad key ${headers.authorization}"}}`)
    },
    code: 'CHAT_REFUSED',
    message: /HTTP 401: .*Bearer \*\*\*/,
  },
  {
    name: 'a redirect to elsewhere',
    answer: ({ response }) => {
      response.writeHead(307, { location: 'http://127.0.0.1:1/' })
      response.end()
    },
    code: 'CHAT_UNREACHABLE',
  },
  {
    name: 'an answer without end',
    answer: async (exchange) => {
      exchange.open()
      let isGone = false
      void exchange.gone.then(() => {
        isGone = true
      })
      while (!isGone) await exchange.say('word '.repeat(1000))
    },
    code: 'CHAT_TOO_LONG',
  },
  {
    name: 'a line without end',
    answer: async (exchange) => {
      exchange.open()
      let isGone = false
      void exchange.gone.then(() => {
        isGone = true
      })
      while (!isGone) await exchange.send('x'.repeat(100_000))
    },
    code: 'CHAT_TOO_LONG',
  },
]

describe('a chat endpoint that misbehaves', () => {
  test.each(misbehaviours)('$name: $code', async ({ answer, code, message, text }) => {
    await using server = await startChatServer(answer)
    const { error, text: said } = await read(endpoint(server))
    expect(error).toMatchObject({ name: 'ChatError', code })
    expect(error!.message).toMatch(message ?? /./)
    expect(error!.message).not.toContain(key)
    if (text !== undefined) expect(said).toBe(text)
    // Whatever it was, no request is left behind.
    await server.exchanges[0]!.gone
  })

  test('nobody there: CHAT_UNREACHABLE', async () => {
    const server = await startChatServer(() => {})
    await server[Symbol.asyncDispose]()
    const { error } = await read(endpoint(server))
    expect(error).toMatchObject({ code: 'CHAT_UNREACHABLE' })
    expect(error!.message).toContain('ECONNREFUSED')
  })

  test('a password in its URL is refused, and not told', async () => {
    const { error } = await read({ ...endpoint({ url: 'http://me:s3cret@127.0.0.1:1/v1?token=s3cret' }) })
    expect(error).toMatchObject({ code: 'CHAT_UNREACHABLE' })
    expect(error!.message).toContain('credentials')
    expect(error!.message).not.toMatch(/me:|s3cret/)
  })

  test.each<[string, (exchange: ChatExchange) => Promise<void> | void, string]>([
    ['before the answer begins', () => {}, ''],
    [
      'in the middle',
      async (exchange) => {
        exchange.open()
        await exchange.say('It ')
      },
      'It ',
    ],
    [
      'though it keeps the connection alive',
      async (exchange) => {
        exchange.open()
        let isGone = false
        void exchange.gone.then(() => {
          isGone = true
        })
        while (!isGone) await exchange.send(': ping\n\n')
      },
      '',
    ],
  ])('silent %s: CHAT_SILENT', async (_, answer, text) => {
    await using server = await startChatServer(answer)
    const { error, text: said } = await read(endpoint(server, { silenceMs: 300 }))
    expect(error).toMatchObject({ code: 'CHAT_SILENT' })
    expect(said).toBe(text)
    await server.exchanges[0]!.gone
  })
})

describe('leaving', () => {
  const endless = async (exchange: ChatExchange) => {
    exchange.open()
    await exchange.say('It ')
  }

  test('whoever stops reading ends the request', async () => {
    await using server = await startChatServer(endless)
    for await (const words of streamChat(endpoint(server), question, never)) {
      expect(words).toBe('It ')
      break
    }
    await server.exchanges[0]!.gone
  })

  test('a signal ends it in the middle, with its own reason', async () => {
    await using server = await startChatServer(endless)
    const leaving = new AbortController()
    const words = streamChat(endpoint(server), question, leaving.signal)
    expect((await words.next()).value).toBe('It ')
    const next = words.next()
    leaving.abort(new Error('stopped by SIGINT'))
    await expect(next).rejects.toThrow('stopped by SIGINT')
    await server.exchanges[0]!.gone
  })

  test('a signal that came before asks for nothing', async () => {
    await using server = await startChatServer(endless)
    const { error } = await read(endpoint(server), AbortSignal.abort(new Error('gone already')))
    expect(error!.message).toBe('gone already')
    expect(server.exchanges).toEqual([])
  })
})
