import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** One request to the endpoint, and the hand that answers it. */
export type ChatExchange = {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: {
    readonly model: string
    readonly stream: boolean
    readonly messages: { readonly role: string; readonly content: string }[]
  }
  readonly response: ServerResponse
  /** Begins an event stream. */
  open(): void
  /** Bytes as they are; resolves once they have left the process. */
  send(bytes: string | Uint8Array): Promise<void>
  /** One piece of the answer, as an event. */
  say(text: string): Promise<void>
  /** Resolves when the other side is gone. */
  readonly gone: Promise<void>
}

export type ChatServer = AsyncDisposable & {
  /** As `chat.url` takes it. */
  readonly url: string
  readonly exchanges: readonly ChatExchange[]
}

export const piece = (text: string) =>
  `data: ${JSON.stringify({ choices: [{ delta: { content: text } }] })}\n\n`
export const done = 'data: [DONE]\n\n'

/** An OpenAI-compatible endpoint over real HTTP that answers as the script says, well or badly. */
export async function startChatServer(
  script: (exchange: ChatExchange) => Promise<void> | void,
): Promise<ChatServer> {
  const exchanges: ChatExchange[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString()
      const send = (bytes: string | Uint8Array) =>
        new Promise<void>((resolve) => {
          // Written for itself, so that it is a chunk of its own; a side that is gone takes none.
          response.write(bytes, () => setImmediate(resolve))
        })
      const exchange: ChatExchange = {
        path: request.url!,
        headers: request.headers,
        body: text === '' ? {} : JSON.parse(text),
        response,
        open: () => {
          response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' })
          response.flushHeaders()
        },
        send,
        say: (said) => send(piece(said)),
        gone: new Promise((resolve) => response.once('close', resolve)),
      }
      exchanges.push(exchange)
      void script(exchange)
    })
  })
  server.on('clientError', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    exchanges,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
