import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js'
import { HealthImplementation } from 'grpc-health-check'
import type { Logger } from 'pino'
import type { BlockRef } from '../../notification/types.ts'
import { ExExError } from '../errors.ts'
import type { ConsumerInfo } from '../frames.ts'
import { remoteService } from '../remoteService.ts'
import { EXEX_SERVICE, exExService } from '../service.ts'
import { type Authenticate, createAuthenticate } from './authenticate.ts'
import { Consumers } from './consumers.ts'
import { FinishedHeight } from './finishedHeight.ts'
import { ListenError } from './listenError.ts'
import { LiveRing } from './liveRing.ts'
import { type ExExServerMetrics, noServerMetrics } from './metrics.ts'
import { type ExExServerOptions, limitsOf, type ServerTls } from './options.ts'
import { addReflection } from './reflection.ts'
import { remoteHandler } from './remoteExEx.ts'
import type { ServerContext } from './serverContext.ts'
import { Session } from './session.ts'
import type { SourceEvent } from './types.ts'
import { statusOf, unaryHandlers } from './unaryHandlers.ts'

export type ExExServer = {
  /** What a client connects to: `host:port` or `unix:/path`. */
  readonly address: string
  /** 0 on a unix socket. */
  readonly port: number
  /** Says goodbye to every session and ends them. The source is not closed: it was not made here. */
  close(): Promise<void>
  consumers(): readonly ConsumerInfo[]
  /** What the source was told last. */
  finishedHeight(): BlockRef | undefined
}

export type ExExServerDependencies = {
  readonly logger: Logger
  readonly metrics?: ExExServerMetrics
  /** Closes the server when aborted. */
  readonly signal?: AbortSignal
  /** Unix milliseconds. Default `Date.now`. */
  readonly now?: () => number
}

/** Serves a chain to consumers by `exex.v1`. Throws when it cannot listen or read a file it was given. */
export async function startExExServer(
  options: ExExServerOptions,
  dependencies: ExExServerDependencies,
): Promise<ExExServer> {
  const { source } = options
  const { logger, signal, metrics = noServerMetrics, now = Date.now } = dependencies
  signal?.throwIfAborted()
  const limits = limitsOf(options)
  const authenticate = await createAuthenticate(options)
  const credentials = await credentialsOf(options.tls)

  const consumers = new Consumers(limits.evictAfterBlocks)
  const finishedHeight = new FinishedHeight(source, consumers, limits, logger, (height) => {
    logger.debug({ height }, 'finished height told')
    metrics.finishedHeightChanged(height.number)
  })
  const context: ServerContext = {
    source,
    ring: new LiveRing(source.heads().head, limits),
    limits,
    consumers,
    finishedHeight,
    sessions: new Set(),
    metrics,
    logger,
    epoch: randomBytes(8).readBigUInt64LE(),
    serverName: 'monmouth/0.1.0',
    now,
  }

  const server = new Server({
    // Client frames are small: a locator of 256 entries is 12 kB.
    'grpc.max_receive_message_length': 1 << 18,
    'grpc.max_send_message_length': -1,
    'grpc.keepalive_time_ms': limits.pingMs,
    'grpc.keepalive_timeout_ms': limits.pingTimeoutMs,
  })
  server.addService(exExService, {
    ...unaryHandlers(context, authenticate),
    session: (call: ServerDuplexStream<Buffer, Buffer>) => openSession(call, context, authenticate),
  })
  server.addService(remoteService, { subscribe: remoteHandler(source, authenticate) })
  const health = new HealthImplementation()
  health.addToServer(server)
  if (options.reflection === true) addReflection(server)

  // Before the port opens: the ring began at the head as it was a moment ago, and misses nothing from here.
  const unsubscribe = source.subscribe((event) => onSourceEvent(event, context))
  const port = await bind(server, options.listen, credentials).catch((error: unknown) => {
    unsubscribe()
    throw error
  })
  const address = options.listen.startsWith('unix:')
    ? options.listen
    : options.listen.replace(/:\d+$/, `:${port}`)
  const showHealth = () => {
    const problem = source.problem()
    for (const service of ['', EXEX_SERVICE])
      health.setStatus(service, problem === undefined ? 'SERVING' : 'NOT_SERVING')
  }
  showHealth()
  const healthTimer = setInterval(showHealth, limits.heartbeatMs)
  logger.info({ address, chainId: source.chainId, head: source.heads().head }, 'serving the chain')

  let closing: Promise<void> | undefined
  const close = () => {
    closing ??= (async () => {
      clearInterval(healthTimer)
      unsubscribe()
      for (const session of [...context.sessions]) session.goingAway()
      await shutDown(server, limits.closeTimeoutMs)
      logger.info({ address }, 'no longer serving')
    })()
    return closing
  }
  signal?.addEventListener('abort', () => void close(), { once: true })
  return {
    address,
    port: options.listen.startsWith('unix:') ? 0 : port,
    close,
    consumers: () => consumers.list(source.heads().head),
    finishedHeight: () => finishedHeight.value,
  }
}

function openSession(
  call: ServerDuplexStream<Buffer, Buffer>,
  context: ServerContext,
  authenticate: Authenticate,
): void {
  try {
    context.sessions.add(new Session(call, authenticate(call.metadata), context))
  } catch (error) {
    if (!(error instanceof ExExError)) throw error
    context.logger.warn({ peer: call.getPeer(), code: error.code }, 'session refused')
    call.emit('error', statusOf(error))
  }
}

/** The ring takes everything at once, whatever the consumers do: the node never waits for them. */
function onSourceEvent(event: SourceEvent, context: ServerContext): void {
  const { ring, consumers, finishedHeight, logger, metrics } = context
  // Measured before the event: nobody can have made progress on blocks that are only now announced.
  for (const consumer of consumers.evictStuck(ring.tip)) {
    logger.error({ consumer: consumer.id, durable: consumer.durable, head: ring.tip }, 'consumer evicted')
    metrics.consumerEvicted()
  }
  const follows = ring.push(event)
  if (!follows) {
    logger.warn(
      { parent: event.parent, undo: event.undo.length },
      'source event does not follow: ring starts anew',
    )
  }
  if (!follows || event.undo.length > 0) consumers.undoTo(event.parent)
  metrics.ringChanged({ blocks: ring.blocks, bytes: ring.bytes })
  const told = finishedHeight.value
  void finishedHeight.update({
    resend: told !== undefined && event.undo.length > 0 && told.number > event.parent.number,
  })
  for (const session of context.sessions) session.wake()
}

async function credentialsOf(tls: ServerTls | undefined): Promise<ServerCredentials> {
  if (tls === undefined) return ServerCredentials.createInsecure()
  const [certificate, key, clientCa] = await Promise.all([
    readFile(tls.certFile),
    readFile(tls.keyFile),
    tls.clientCaFile === undefined ? null : readFile(tls.clientCaFile),
  ])
  return ServerCredentials.createSsl(
    clientCa,
    [{ cert_chain: certificate, private_key: key }],
    clientCa !== null,
  )
}

function bind(server: Server, listen: string, credentials: ServerCredentials): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(listen, credentials, (error, port) =>
      error === null ? resolve(port) : reject(new ListenError(listen, error)),
    )
  })
}

async function shutDown(server: Server, timeoutMs: number): Promise<void> {
  const ended = new Promise<void>((resolve) => server.tryShutdown(() => resolve()))
  // A peer that has gone silent must not hold the process.
  const timer = setTimeout(() => server.forceShutdown(), timeoutMs)
  await ended
  clearTimeout(timer)
}
