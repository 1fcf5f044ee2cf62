import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A request as it came in. */
export type Asked = {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly model: string
  readonly input: readonly string[]
}

/** What the server does with a request: `answer` sends what a good server would. */
export type Behaviour = (asked: Asked, response: ServerResponse, answer: () => void) => void

/** The vector of a text, any text its own. */
export function vectorOf(text: string, dimensions: number): Float32Array {
  const digest = createHash('sha512').update(text).digest()
  return Float32Array.from({ length: dimensions }, (_, place) => digest[place % digest.length]! / 256 + 0.01)
}

/**
 * An OpenAI-compatible endpoint on a port of its own. `behave` gets every request in turn, the first one as 0; without it, or
 * where it calls `answer`, it answers well.
 * @param embed gives the vectors; default: `vectorOf`
 */
export async function startEmbedderServer(
  dimensions: number,
  behave: (turn: number) => Behaviour | undefined = () => undefined,
  embed?: (texts: readonly string[]) => Promise<readonly Float32Array[]>,
) {
  const asked: Asked[] = []
  let atOnce = 0
  let mostAtOnce = 0
  const server = createServer(async (request, response) => {
    atOnce += 1
    mostAtOnce = Math.max(mostAtOnce, atOnce)
    response.on('close', () => {
      atOnce -= 1
    })
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const { model, input } = JSON.parse(Buffer.concat(chunks).toString('utf8'))
    const came: Asked = { path: request.url!, headers: request.headers, model, input }
    asked.push(came)
    const vectors = await embed?.(input)
    const answer = () => sendJson(response, 200, goodAnswer(came, dimensions, vectors))
    const behaviour = behave(asked.length - 1)
    if (behaviour) behaviour(came, response, answer)
    else answer()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    asked,
    mostAtOnce: () => mostAtOnce,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

export function goodAnswer(
  { model, input }: Asked,
  dimensions: number,
  vectors: readonly Float32Array[] = input.map((text) => vectorOf(text, dimensions)),
) {
  const data = vectors.map((vector, index) => {
    const embedding = Array.from(vector)
    return { object: 'embedding', index, embedding }
  })
  return { object: 'list', data, model, usage: { prompt_tokens: 1, total_tokens: 1 } }
}

export function sendJson(response: ServerResponse, status: number, body: unknown, headers = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}
