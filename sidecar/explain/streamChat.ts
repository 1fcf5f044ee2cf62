import { ChatError } from './chatErrors.ts'
import { escapeUntrusted } from './markUntrusted.ts'
import { EventTooLargeError, readEvents } from './readEvents.ts'

/** An OpenAI-compatible chat endpoint. */
export type ChatEndpoint = {
  /** Root of the API, such as `http://127.0.0.1:11434/v1`; `/chat/completions` is added where it is missing. */
  readonly url: string
  readonly model: string
  /** Sent as a bearer token. */
  readonly key?: string | undefined
  /** Longest wait for the next word, milliseconds. */
  readonly silenceMs: number
  /** Tokens of the answer at most, as the endpoint counts them. */
  readonly maxTokens: number
}

export type ChatMessage = { readonly role: 'system' | 'user'; readonly content: string }

/** Characters of one answer at most, whatever the endpoint takes a token to be. */
const MAX_ANSWER = 64 * 1024
/** Bytes read of an answer that is not a stream. */
const MAX_BODY = 1024 * 1024

/**
 * Asks for an answer and gives it word by word as it comes. An endpoint that does not stream gives it in one piece.
 * Ending the iteration early ends the request; so does `signal`, with its reason thrown.
 * @throws ChatError
 */
export async function* streamChat(
  endpoint: ChatEndpoint,
  messages: readonly ChatMessage[],
  signal: AbortSignal,
): AsyncGenerator<string> {
  const { model, key, silenceMs, maxTokens } = endpoint
  // Not the whole URL: a key may be part of it.
  const where = new URL(endpoint.url).origin
  const silence = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const waitAgain = () => {
    clearTimeout(timer)
    timer = setTimeout(
      () => silence.abort(new ChatError('CHAT_SILENT', where, `no word for ${silenceMs} ms`)),
      silenceMs,
    )
  }
  const ending = AbortSignal.any([signal, silence.signal])
  /** What ended it from here comes before what that broke. */
  const translated = (error: unknown, code: 'CHAT_UNREACHABLE' | 'CHAT_CUT') => {
    if (ending.aborted) return ending.reason
    if (error instanceof ChatError) return withoutKey(error, key)
    if (error instanceof EventTooLargeError) return new ChatError('CHAT_TOO_LONG', where, error.message)
    // A URL with a password in it is refused by quoting it.
    return new ChatError(code, where, reasonOf(error).replaceAll(completionsUrl(endpoint.url), where), error)
  }
  waitAgain()
  try {
    let response: Response
    try {
      response = await fetch(completionsUrl(endpoint.url), {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'text/event-stream',
          ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
        },
        body: JSON.stringify({ model, messages, stream: true, temperature: 0, max_tokens: maxTokens }),
        // A redirect could carry the key to another host.
        redirect: 'error',
        signal: ending,
      })
    } catch (error) {
      throw translated(error, 'CHAT_UNREACHABLE')
    }
    try {
      let length = 0
      for await (const words of wordsOf(response, where)) {
        length += words.length
        if (length > MAX_ANSWER) throw new ChatError('CHAT_TOO_LONG', where, `above ${MAX_ANSWER} characters`)
        clearTimeout(timer)
        yield words
        waitAgain()
      }
    } catch (error) {
      throw translated(error, 'CHAT_CUT')
    }
  } finally {
    clearTimeout(timer)
    // Whoever left early leaves no request behind.
    silence.abort()
  }
}

async function* wordsOf(response: Response, where: string): AsyncGenerator<string> {
  const type = response.headers.get('content-type') ?? ''
  if (!response.ok) {
    const text = escapeUntrusted((await readText(response, where)).slice(0, 300))
    throw new ChatError('CHAT_REFUSED', where, `HTTP ${response.status}: ${text || 'no more was said'}`)
  }
  if (response.body === null) throw new ChatError('CHAT_NOT_UNDERSTOOD', where, 'the answer has no body')
  if (/^application\/json\b/i.test(type)) {
    const content = wordsIn(await readText(response, where), 'message', where).words
    if (content !== '') yield content
    return
  }
  if (!/^text\/event-stream\b/i.test(type)) {
    const named = escapeUntrusted(type.slice(0, 100)) || 'none'
    throw new ChatError(
      'CHAT_NOT_UNDERSTOOD',
      where,
      `expected content type text/event-stream, came ${named}`,
    )
  }
  let isFinished = false
  for await (const { data } of readEvents(response.body)) {
    if (data.trim() === '[DONE]') return
    const { words, finished } = wordsIn(data, 'delta', where)
    if (words !== '') yield words
    isFinished ||= finished
  }
  // Some servers leave the last event out; without a word that it is finished, more was to come.
  if (!isFinished) throw new ChatError('CHAT_CUT', where, 'the stream ended before [DONE]')
}

/** The text of one completion, or of a piece of one. */
function wordsIn(
  json: string,
  field: 'message' | 'delta',
  where: string,
): { readonly words: string; readonly finished: boolean } {
  let document: unknown
  try {
    document = JSON.parse(json)
  } catch {
    throw new ChatError('CHAT_NOT_UNDERSTOOD', where, `not JSON: ${escapeUntrusted(json.slice(0, 100))}`)
  }
  const { error, choices } = asRecord(document)
  if (error !== undefined && error !== null) {
    const { message = JSON.stringify(error) } = asRecord(error)
    throw new ChatError('CHAT_FAILED', where, escapeUntrusted(String(message).slice(0, 300)))
  }
  if (!Array.isArray(choices)) {
    throw new ChatError('CHAT_NOT_UNDERSTOOD', where, `no choices: ${escapeUntrusted(json.slice(0, 100))}`)
  }
  // A piece that only counts tokens has none.
  const choice = asRecord(choices[0])
  const { content } = asRecord(choice[field])
  return {
    words: typeof content === 'string' ? content : '',
    finished: typeof choice.finish_reason === 'string',
  }
}

/** An endpoint may repeat the key it was sent. */
function withoutKey(error: ChatError, key: string | undefined): ChatError {
  if (key !== undefined && key !== '') error.message = error.message.replaceAll(key, '***')
  return error
}

async function readText(response: Response, where: string): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length
    if (bytes > MAX_BODY) throw new ChatError('CHAT_TOO_LONG', where, `above ${MAX_BODY} bytes`)
    text += decoder.decode(chunk, { stream: true })
  }
  return text
}

function completionsUrl(url: string): string {
  const { href, pathname } = new URL(url)
  if (pathname.endsWith('/chat/completions')) return href
  const completions = new URL(href)
  completions.pathname = `${pathname.replace(/\/$/, '')}/chat/completions`
  return completions.href
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

/** Of `fetch failed` the cause says why. */
function reasonOf(error: unknown): string {
  const { cause } = error as { cause?: unknown }
  return cause instanceof Error && cause.message !== '' ? cause.message : (error as Error).message
}
