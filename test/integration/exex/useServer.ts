import { afterEach } from 'vitest'
import { callServer, type Method } from '../../support/exex/callServer.ts'
import { openRawSession, type RawSession } from '../../support/exex/openRawSession.ts'
import { type ObservedConsumer, type ObservedOptions, observeConsumer } from './observedConsumer.ts'
import { type ScriptedServer, startScriptedServer } from './startScriptedServer.ts'

/** The server a test started and all that talks to it; closed after each test. */
export function useServer() {
  let server: ScriptedServer | undefined
  let consumers: ObservedConsumer[] = []
  let sessions: RawSession[] = []
  const subject = (): ScriptedServer => {
    if (server === undefined) throw new Error('start() comes first')
    return server
  }
  afterEach(async () => {
    for (const consumer of consumers) consumer.stop()
    for (const session of sessions) session.close()
    consumers = []
    sessions = []
    await server?.close()
    server = undefined
  })
  return {
    subject,
    /** Starts it and returns its feed. */
    async start(...options: Parameters<typeof startScriptedServer>) {
      server = await startScriptedServer(...options)
      return server.feed
    },
    consume(options: Partial<ObservedOptions> = {}): ObservedConsumer {
      const consumer = observeConsumer({ url: subject().url, ...options })
      consumers.push(consumer)
      return consumer
    },
    openSession(): RawSession {
      const session = openRawSession(subject().server.address)
      sessions.push(session)
      return session
    },
    call: <Request, Response>(method: Method<Request, Response>, request: Request, token?: string) =>
      callServer(subject().server.address, method, request, token),
  }
}
