import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import { escapeText } from '../query/escapeText.ts'
import { type CircuitBreaker, createCircuitBreaker, type Verdict } from './circuitBreaker.ts'
import { createSlots } from './createSlots.ts'
import type { Embedder } from './embedder.ts'
import { EmbedderError } from './embedderError.ts'
import { planBatches } from './planBatches.ts'
import { BodyTooLargeError, readBody } from './readBody.ts'
import { readEmbeddings } from './readEmbeddings.ts'
import { readRetryAfter } from './readRetryAfter.ts'

export type HttpEmbedderOptions = {
  /** Root of an OpenAI-compatible API, such as `http://127.0.0.1:11434/v1`; `/embeddings` is added where it is missing. */
  readonly url: string
  /** As the endpoint names it. */
  readonly model: string
  /** Changed by hand when the endpoint's model of that name changed: what is stored is then embedded again. Default `1`. */
  readonly version?: string
  /** What the model gives. */
  readonly dimensions: number
  /** Sent as bearer token, and nowhere else: never in a message, never in a log. */
  readonly apiKey?: string | undefined
  /** Texts of a request at most. Default 32. */
  readonly batchTexts?: number
  /** Tokens of a request at most, counted as characters / 3; also of a single text. Default 8192. */
  readonly batchTokens?: number
  /** Requests at once, of all calls together. Default 2. */
  readonly concurrency?: number
  /** Time for an answer to be whole. Default 30 000 ms. */
  readonly timeoutMs?: number
  /** Attempts after the first. Default 4. */
  readonly retries?: number
  /** First wait between attempts, on average half of it; it doubles each time. Default 250 ms. */
  readonly retryMinMs?: number
  /** Longest wait, also when the endpoint asks for more: then the call fails at once and tells how long. Default 30 000 ms. */
  readonly retryMaxMs?: number
  /** Failures in a row after which nothing is sent, and for how long. Defaults 5 and 30 000 ms. */
  readonly breakerFailures?: number
  readonly breakerOpenMs?: number
}

export type HttpEmbedderDependencies = {
  readonly logger: Logger
  /** From 0 to 1, for the jitter of waits. Default `Math.random`. */
  readonly random?: () => number
  /** A clock in ms for the breaker and for pauses. Default `performance.now`. */
  readonly now?: () => number
}

/** Names model, version and dimensions; not the endpoint: the same model elsewhere gives the same vectors. */
export function httpEmbedderId(model: string, version: string, dimensions: number): string {
  return `http:${model}-${dimensions}/${version}`
}

/**
 * Embeds texts by `POST {url}/embeddings`, as OpenAI, Ollama, vLLM and TEI speak it: in batches, a few at once, tried again with
 * growing random waits where that may help, and not at all while the endpoint is down. Every answer is checked.
 * Throws `EmbedderError` `INVALID_OPTIONS`; `embed` throws all the others.
 */
export function createHttpEmbedder(
  given: HttpEmbedderOptions,
  { logger, random = Math.random, now = () => performance.now() }: HttpEmbedderDependencies,
): Embedder {
  const options = withDefaults(given)
  const { dimensions, model, retries, retryMinMs, retryMaxMs } = options
  const url = endpointOf(options.url)
  const where = `${url.origin} (model ${model})`
  const slots = createSlots(options.concurrency)
  const breaker: CircuitBreaker = createCircuitBreaker(
    { failures: options.breakerFailures, openMs: options.breakerOpenMs },
    {
      now,
      onChange(state) {
        if (state === 'open')
          logger.warn({ where, openMs: options.breakerOpenMs }, 'embedder fails: left alone')
        else if (state === 'closed') logger.info({ where }, 'embedder answers again')
      },
    },
  )
  /** Until when the endpoint asked all of us to wait. */
  let pausedUntil = 0

  return {
    id: httpEmbedderId(model, options.version, dimensions),
    dimensions,
    async embed(texts, signal) {
      const batches = planBatches(texts, options)
      const failed = new AbortController()
      const either = signal ? AbortSignal.any([signal, failed.signal]) : failed.signal
      const parts = batches.map(({ from, to }) =>
        slots.run(() => embedBatch(texts.slice(from, to), either), either),
      )
      try {
        return (await Promise.all(parts)).flat()
      } catch (error) {
        // One batch is enough to fail the call: the others need not be paid for.
        failed.abort(error)
        await Promise.allSettled(parts)
        throw error
      }
    },
  }

  async function embedBatch(texts: readonly string[], signal: AbortSignal): Promise<readonly Float32Array[]> {
    try {
      return await withRetries(texts, signal)
    } catch (error) {
      const isTooMany = error instanceof EmbedderError && error.facts.status === 413 && texts.length > 1
      if (!isTooMany) throw error
      // The endpoint takes fewer texts at once than we were told.
      const half = texts.length >> 1
      const first = await embedBatch(texts.slice(0, half), signal)
      return [...first, ...(await embedBatch(texts.slice(half), signal))]
    }
  }

  async function withRetries(
    texts: readonly string[],
    signal: AbortSignal,
  ): Promise<readonly Float32Array[]> {
    for (let attempt = 0; ; attempt += 1) {
      await pause(pausedUntil - now(), signal)
      try {
        return await guarded(texts, signal)
      } catch (error) {
        if (!(error instanceof EmbedderError) || !error.mayPass || error.code === 'CIRCUIT_OPEN') throw error
        const askedMs = error.retryAfterMs ?? 0
        if (attempt >= retries || askedMs > retryMaxMs) throw error
        if (askedMs > 0) pausedUntil = Math.max(pausedUntil, now() + askedMs)
        const waitMs = askedMs + random() * Math.min(retryMaxMs, retryMinMs * 2 ** attempt)
        logger.debug(
          { where, code: error.code, attempt, waitMs: Math.round(waitMs) },
          'embedding is tried again',
        )
        await pause(waitMs, signal)
      }
    }
  }

  async function pause(ms: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (ms <= 0) return
    await delay(ms, undefined, { signal }).catch(() => signal.throwIfAborted())
  }

  async function guarded(texts: readonly string[], signal: AbortSignal): Promise<readonly Float32Array[]> {
    const leftMs = breaker.ask()
    if (leftMs > 0) {
      throw new EmbedderError(
        'CIRCUIT_OPEN',
        `embedder: ${where} failed ${options.breakerFailures} times in a row and is left alone for another ${Math.ceil(leftMs)} ms`,
        { mayPass: true, retryAfterMs: leftMs },
      )
    }
    let verdict: Verdict = 'well'
    try {
      return await post(texts, signal)
    } catch (error) {
      verdict = signal.aborted ? verdictOnEnd(signal.reason) : verdictOn(error)
      throw error
    } finally {
      breaker.tell(verdict)
    }
  }

  async function post(texts: readonly string[], signal: AbortSignal): Promise<readonly Float32Array[]> {
    const timeout = AbortSignal.timeout(options.timeoutMs)
    // Numbers as text take up to 24 characters each.
    const limit = 65_536 + texts.length * dimensions * 32
    let status: number
    let retryAfterMs: number | undefined
    let body: string
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'application/json',
          ...(options.apiKey === undefined ? {} : { authorization: `Bearer ${options.apiKey}` }),
        },
        body: JSON.stringify({ model, input: texts, encoding_format: 'float' }),
        // Another place was not asked for, and must not get the key.
        redirect: 'manual',
        signal: AbortSignal.any([signal, timeout]),
      })
      status = response.status
      retryAfterMs = readRetryAfter(response.headers.get('retry-after'), Date.now())
      body = await readBody(response, limit)
    } catch (cause) {
      signal.throwIfAborted()
      if (cause instanceof BodyTooLargeError) {
        throw new EmbedderError(
          'ANSWER_TOO_LARGE',
          `embedder: expected an answer of at most ${limit} bytes for ${texts.length} texts from ${where}, got more`,
          { cause, facts: { limit, texts: texts.length } },
        )
      }
      if (timeout.aborted) {
        throw new EmbedderError(
          'TIMED_OUT',
          `embedder: expected a whole answer from ${where} within ${options.timeoutMs} ms, got none`,
          { cause, mayPass: true, facts: { timeoutMs: options.timeoutMs } },
        )
      }
      throw new EmbedderError(
        'UNREACHABLE',
        `embedder: expected an answer from ${where}, got none: ${withoutKey(reasonOf(cause))}. Look whether it runs and is named right.`,
        { cause: undefined, mayPass: true },
      )
    }
    if (status !== 200) throw refusal(status, body, retryAfterMs)
    return readEmbeddings(parse(body), texts.length, dimensions, where)
  }

  function refusal(status: number, body: string, retryAfterMs: number | undefined): EmbedderError {
    const failed = status >= 500 || status === 408
    const code = status === 429 ? 'OVERLOADED' : failed ? 'SERVER_FAILED' : 'REFUSED'
    const advice = code === 'REFUSED' ? '. Look at embedder.url, embedder.model and embedder.key_file.' : ''
    return new EmbedderError(
      code,
      `embedder: expected status 200 from ${where}, got ${status}: «${escapeText(withoutKey(body), 200)}»${advice}`,
      { facts: { status }, mayPass: code !== 'REFUSED', retryAfterMs },
    )
  }

  function parse(body: string): unknown {
    try {
      return JSON.parse(body)
    } catch {
      // A gateway's page, or an answer cut by one: another attempt may get a whole one.
      throw new EmbedderError(
        'BAD_ANSWER',
        `embedder: expected JSON from ${where}, got «${escapeText(withoutKey(body), 80)}»`,
        { mayPass: true },
      )
    }
  }

  /** Some endpoints repeat the key in their refusal. */
  function withoutKey(text: string): string {
    return options.apiKey ? text.replaceAll(options.apiKey, '***') : text
  }
}

/** Busy is not ill, and an answer we cannot use is one all the same: only what may pass by itself is worth waiting out. */
function verdictOn(error: unknown): Verdict {
  return error instanceof EmbedderError && error.mayPass && error.code !== 'OVERLOADED' ? 'ill' : 'well'
}

/** A caller that waited in vain is no different from our own wait; one that changed its mind says nothing. */
function verdictOnEnd(reason: unknown): Verdict {
  return reason instanceof DOMException && reason.name === 'TimeoutError' ? 'ill' : 'unknown'
}

/** `fetch failed` says nothing; its cause does. */
function reasonOf(error: unknown): string {
  const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error
  const code = inner instanceof Error && 'code' in inner ? String(inner.code) : ''
  const text = inner instanceof Error ? inner.message : String(inner)
  return escapeText([code, text].filter((part) => part !== '').join(': '), 200)
}

function endpointOf(root: string): URL {
  const url = new URL(root)
  if (!url.pathname.endsWith('/embeddings')) url.pathname = `${url.pathname.replace(/\/+$/, '')}/embeddings`
  return url
}

/** The key has its own option; `fetch` takes no account in the URL. */
function isRoot(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, username, password, hash } = new URL(text)
  return /^https?:$/.test(protocol) && username + password + hash === ''
}

type Settings = Required<Omit<HttpEmbedderOptions, 'apiKey'>> & Pick<HttpEmbedderOptions, 'apiKey'>

function withDefaults(given: HttpEmbedderOptions): Settings {
  const options = {
    ...given,
    version: given.version ?? '1',
    apiKey: given.apiKey,
    batchTexts: given.batchTexts ?? 32,
    batchTokens: given.batchTokens ?? 8192,
    concurrency: given.concurrency ?? 2,
    timeoutMs: given.timeoutMs ?? 30_000,
    retries: given.retries ?? 4,
    retryMinMs: given.retryMinMs ?? 250,
    retryMaxMs: given.retryMaxMs ?? 30_000,
    breakerFailures: given.breakerFailures ?? 5,
    breakerOpenMs: given.breakerOpenMs ?? 30_000,
  }
  const counts = ['dimensions', 'batchTexts', 'batchTokens', 'concurrency', 'breakerFailures'] as const
  const times = ['timeoutMs', 'retries', 'retryMinMs', 'retryMaxMs', 'breakerOpenMs'] as const
  const problems = [
    ...counts
      .filter((name) => !(Number.isSafeInteger(options[name]) && options[name] >= 1))
      .map((name) => `${name} as an integer from 1, got ${options[name]}`),
    ...times
      .filter(
        (name) => !(Number.isSafeInteger(options[name]) && options[name] >= 0 && options[name] < 2 ** 31),
      )
      .map((name) => `${name} as an integer from 0 to 2^31 - 1, got ${options[name]}`),
    ...(/^[!-~]{1,200}$/.test(options.model) ? [] : ['a model name of 1 to 200 characters, without spaces']),
    ...(/^[\w.-]{1,64}$/.test(options.version) ? [] : ['a version of letters, digits and _.-']),
    ...(isRoot(options.url) ? [] : ['an http or https URL without account and fragment']),
    // What fetch would refuse later, with the key in its message.
    ...(options.apiKey === undefined || /^[\x21-\x7e]+$/.test(options.apiKey)
      ? []
      : ['an API key of printable ASCII without blanks']),
  ]
  if (problems.length === 0) return options
  throw new EmbedderError('INVALID_OPTIONS', `embedder: expected ${problems.join('; ')}`)
}
