import { ChatError } from './chatErrors.ts'
import { chatMessages, citedFacts } from './chatMessages.ts'
import type { Explanation } from './explainDecision.ts'
import { type ChatEndpoint, streamChat } from './streamChat.ts'

/**
 * An explanation as server-sent events: `facts` with the explanation, then `model` with `{text}` for every piece of the
 * model's wording, then `done` with the facts it cited, or `failed` with `{code, message}`. Without an endpoint `done`
 * follows the facts and says why. A reader that leaves ends the request to the endpoint.
 * @param ended called once, when nothing more is asked of the endpoint
 */
export function explanationStream(
  explanation: Explanation,
  endpoint: ChatEndpoint | undefined,
  ended: () => void,
): Response {
  const encoder = new TextEncoder()
  const leaving = new AbortController()
  const events = eventsOf(explanation, endpoint, leaving.signal, ended)
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { value, done } = await events.next()
      if (done) return controller.close()
      controller.enqueue(encoder.encode(`event: ${value.type}\ndata: ${JSON.stringify(value.data)}\n\n`))
    },
    async cancel() {
      leaving.abort()
      // Between two events nothing runs that the signal would reach. What it interrupts fails, and no one is left to tell.
      await events.return(undefined).catch(() => undefined)
    },
  })
  return new Response(body, { headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-store' } })
}

async function* eventsOf(
  explanation: Explanation,
  endpoint: ChatEndpoint | undefined,
  signal: AbortSignal,
  ended: () => void,
): AsyncGenerator<{ readonly type: string; readonly data: unknown }> {
  let answer = ''
  try {
    yield { type: 'facts', data: explanation }
    if (endpoint === undefined) {
      yield { type: 'done', data: { model: null, message: 'No chat endpoint is configured: set chat.url.' } }
      return
    }
    for await (const text of streamChat(endpoint, chatMessages(explanation), signal)) {
      answer += text
      yield { type: 'model', data: { text } }
    }
    yield { type: 'done', data: { model: endpoint.model, ...citedFacts(answer, explanation.facts) } }
  } catch (error) {
    if (!(error instanceof ChatError)) throw error
    yield { type: 'failed', data: { code: error.code, message: error.message } }
  } finally {
    ended()
  }
}
