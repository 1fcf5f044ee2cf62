import type { ServerDuplexStream } from '@grpc/grpc-js'
import type { Logger } from 'pino'
import { ExExError, exExErrorCodes, HistoryPrunedError, WireError } from '../errors.ts'
import { decodeClientFrame, encodeServerFrame } from '../frameCodec.ts'
import type { AckFrame, ClientFrame, DirectiveKind, HelloFrame } from '../frames.ts'
import { PACK_FEATURE } from '../frames.ts'
import { type Caller, checkConsumer } from './authenticate.ts'
import { ChainCursor } from './chainCursor.ts'
import { checkAck } from './checkAck.ts'
import { checkHello } from './checkHello.ts'
import { type Consumer, type ConsumerSession, lagOf } from './consumers.ts'
import { bytesOfBatch, encodeNotification } from './encodeNotification.ts'
import { findAncestor } from './findAncestor.ts'
import { FrameSender } from './frameSender.ts'
import type { ServerContext } from './serverContext.ts'
import { WakeUp } from './wakeUp.ts'

/** One consumer's stream, from its Hello to the end. */
export class Session implements ConsumerSession {
  readonly #call: ServerDuplexStream<Buffer, Buffer>
  readonly #caller: Caller
  readonly #context: ServerContext
  #logger: Logger
  #sender: FrameSender
  readonly #work = new WakeUp()
  #consumer: Consumer | undefined
  #cursor: ChainCursor | undefined
  #closed = false
  #creditBytes = 0
  #creditNotifications = 0
  #sentSinceTick = false
  /** seq of the last notification written to its end. */
  #lastSeq = 0n
  #startedMs: number
  /** A heartbeat not yet answered. */
  #ping: { readonly nonce: bigint; readonly sentMs: number } | undefined
  #lastPingMs: number
  #nextNonce = 1n
  readonly #tick: NodeJS.Timeout

  constructor(call: ServerDuplexStream<Buffer, Buffer>, caller: Caller, context: ServerContext) {
    this.#call = call
    this.#caller = caller
    this.#context = context
    this.#logger = context.logger.child({ peer: call.getPeer() })
    this.#sender = new FrameSender(call, { pack: false, ...context.limits })
    this.#startedMs = context.now()
    this.#lastPingMs = this.#startedMs
    this.#tick = setInterval(() => this.#onTick(), context.limits.heartbeatMs)
    call.on('data', (bytes: Buffer) => {
      // One frame at a time, in order: the next is read when this one is done with.
      call.pause()
      this.#onFrame(bytes).then(
        () => call.resume(),
        (error: unknown) => this.#fail(error),
      )
    })
    call.on('end', () => this.#end('client ended'))
    call.on('cancelled', () => this.#end('cancelled'))
    call.on('error', (error: Error) => this.#logger.debug({ err: error }, 'session stream error'))
    context.metrics.sessionOpened()
  }

  /** The source said something: look whether there is more to send. */
  wake(): void {
    this.#work.notify()
  }

  fence(): void {
    this.#directive('fenced', 'a newer session of this consumer took over')
    this.#fail(
      new ExExError('FENCED', { where: 'session', expected: 'to be the newest', actual: 'a newer one came' }),
    )
  }

  evicted(message: string): void {
    this.#directive('evicted', message)
  }

  goingAway(): void {
    this.#directive('goingAway', 'the server is shutting down')
    this.#fail(
      new ExExError('GOING_AWAY', {
        where: 'session',
        expected: 'a running server',
        actual: 'one shutting down',
      }),
    )
  }

  async #onFrame(bytes: Buffer): Promise<void> {
    if (this.#closed) return
    const frame = decodeClientFrame(bytes)
    if (this.#cursor === undefined) {
      if (frame.type !== 'hello') throw new WireError('ClientFrame', 'hello first', frame.type)
      await this.#onHello(frame)
      return
    }
    await this.#onLaterFrame(frame)
  }

  async #onLaterFrame(frame: ClientFrame): Promise<void> {
    switch (frame.type) {
      case 'hello':
        throw new WireError('ClientFrame', 'one hello a session', 'another')
      case 'credit':
        this.#creditBytes += Number(frame.bytes)
        this.#creditNotifications += frame.notifications
        this.#work.notify()
        return
      case 'ack':
        return this.#onAck(frame)
      case 'pong':
        if (frame.nonce === this.#ping?.nonce) this.#ping = undefined
        return
      case 'bye':
        this.#logger.info({ reason: frame.reason }, 'consumer said goodbye')
        this.#end('bye')
        this.#call.end()
    }
  }

  async #onHello(hello: HelloFrame): Promise<void> {
    const { source, ring, limits, consumers, metrics } = this.#context
    const agreement = checkHello(hello, source, limits)
    checkConsumer(this.#caller, hello.consumerId)
    this.#logger = this.#logger.child({ consumer: hello.consumerId })
    const ancestor = await findAncestor(source, hello)
    // It unwinds to the ancestor: of what was durable above it nothing counts.
    const durable = hello.durable && hello.durable.number > ancestor.number ? ancestor : hello.durable
    if (this.#closed) return

    const heads = source.heads()
    const pack = hello.features.includes(PACK_FEATURE)
    this.#sender = new FrameSender(this.#call, { ...limits, pack, maxFrameBytes: agreement.maxFrameBytes })
    this.#cursor = new ChainCursor(source, ring, ancestor, {
      profile: hello.profile,
      batchBlocks: limits.batchBlocks,
      now: this.#context.now,
      fellBehind: () => {
        this.#logger.info(
          { tip: this.#cursor?.tip },
          'consumer fell out of the ring: reading from the source',
        )
        metrics.fellBehind()
      },
    })
    const consumer = consumers.attach(hello.consumerId, hello.mode, this, heads.head)
    this.#consumer = consumer
    this.#lastSeq = consumer.nextSeq - 1n
    consumers.progress(consumer, ancestor, durable, heads.head)
    this.#sender.sendNow(
      encodeServerFrame({
        type: 'welcome',
        protocol: agreement.protocol,
        features: pack ? [PACK_FEATURE] : [],
        epoch: this.#context.epoch,
        firstSeq: consumer.nextSeq,
        ancestor,
        head: heads.head,
        finalized: heads.finalized,
        safe: heads.safe,
        chainId: source.chainId,
        genesisHash: source.genesisHash,
        maxFrameBytes: agreement.maxFrameBytes,
        oldestBlock: heads.oldestBlock,
        server: this.#context.serverName,
      }),
    )
    this.#logger.info(
      { ancestor, head: heads.head, mode: hello.mode, profile: hello.profile },
      'session opened',
    )
    void this.#context.finishedHeight.update({ resend: true })
    this.#deliver(this.#cursor, consumer, agreement.maxFrameBytes).catch((error: unknown) =>
      this.#fail(error),
    )
  }

  /** Sends while there is something to send and credit for it. */
  async #deliver(cursor: ChainCursor, consumer: Consumer, maxFrameBytes: number): Promise<void> {
    const { source, limits, metrics } = this.#context
    while (!this.#closed) {
      if (this.#creditBytes <= 0 || this.#creditNotifications <= 0) {
        await this.#work.wait()
        continue
      }
      const batch = await this.#nextBatch(cursor, Math.min(limits.batchBytes, this.#creditBytes))
      if (this.#closed) break
      if (batch === undefined) {
        await this.#work.wait()
        continue
      }
      const bytes = bytesOfBatch(batch)
      this.#creditBytes -= bytes
      this.#creditNotifications--
      const seq = consumer.nextSeq++
      const { head } = source.heads()
      const facts = { seq, head, sentTimeMs: this.#context.now(), maxFrameBytes }
      await this.#sender.send(encodeNotification(batch, facts))
      this.#lastSeq = seq
      this.#sentSinceTick = true
      metrics.notificationSent({ blocks: batch.blocks.length, bytes, origin: batch.origin })
    }
    await cursor.close()
  }

  async #nextBatch(cursor: ChainCursor, maxBytes: number) {
    try {
      return await cursor.next(maxBytes)
    } catch (error) {
      if (isFinal(error)) throw error
      // The source failed, not the consumer: it stays, and is served when the source answers again.
      this.#logger.warn({ err: error, tip: cursor.tip }, 'source could not be read: trying again')
      const { sourceRetryMs } = this.#context.limits
      setTimeout(() => this.#work.notify(), sourceRetryMs).unref()
      return undefined
    }
  }

  async #onAck(ack: AckFrame): Promise<void> {
    const { consumers, source, finishedHeight } = this.#context
    const consumer = this.#consumer!
    const verdict = await checkAck(ack, this.#cursor!, source, consumer)
    if (this.#closed) return
    if (verdict === 'accepted') {
      consumers.progress(consumer, ack.processed ?? ack.durable, ack.durable, source.heads().head)
      void finishedHeight.update()
    }
    this.#sender.sendNow(
      encodeServerFrame({
        type: 'acknowledged',
        durable: consumer.durable,
        finishedHeight: finishedHeight.value,
      }),
    )
  }

  #onTick(): void {
    const now = this.#context.now()
    const { pingMs, pingTimeoutMs } = this.#context.limits
    const waitingSince = this.#cursor === undefined ? this.#startedMs : this.#ping?.sentMs
    if (waitingSince !== undefined && now - waitingSince > pingTimeoutMs) {
      const expected = this.#cursor === undefined ? 'a hello' : 'an answer to the heartbeat'
      this.#fail(
        new ExExError('SILENCE', {
          where: 'session',
          expected: `${expected} within ${pingTimeoutMs} ms`,
          actual: 'none',
        }),
      )
      return
    }
    if (this.#cursor === undefined) return
    // Nothing more can come that fits what was sent: to stay would be to call it current.
    const lost = this.#context.source.lost?.()
    if (lost !== undefined) {
      this.#fail(lost)
      return
    }
    const isPing = this.#ping === undefined && now - this.#lastPingMs >= pingMs
    if (isPing || !this.#sentSinceTick) this.#heartbeat(isPing, now)
    this.#sentSinceTick = false
  }

  #heartbeat(isPing: boolean, now: number): void {
    const { source, ring, finishedHeight } = this.#context
    const consumer = this.#consumer!
    const heads = source.heads()
    const cursor = this.#cursor!
    const { safe, finalized } = cursor.isCurrent ? heads : cursor.finality
    const problem = source.problem()
    let nonce = 0n
    if (isPing) {
      nonce = this.#nextNonce++
      this.#ping = { nonce, sentMs: now }
      this.#lastPingMs = now
    }
    this.#sender.sendNow(
      encodeServerFrame({
        type: 'heartbeat',
        head: heads.head,
        finalized,
        safe,
        lastSeq: this.#lastSeq,
        ringBlocks: ring.blocks,
        lagBlocks: lagOf(consumer, heads.head),
        // A node that cannot be followed is behind as well: nobody who waits for its head is ready.
        syncing: heads.syncing || problem !== undefined,
        nonce,
        finishedHeight: finishedHeight.value,
        problem,
      }),
    )
  }

  #directive(kind: DirectiveKind, message: string): void {
    if (!this.#closed) this.#sender.sendNow(encodeServerFrame({ type: 'directive', kind, message }))
  }

  /** Says why, then ends the stream with the matching gRPC status. */
  #fail(cause: unknown): void {
    if (this.#closed) return
    const error = toExExError(cause)
    this.#logger.warn({ code: error.code, err: error }, 'session closed')
    if (error.code === 'RESYNC') this.#directive('resync', error.message)
    const { code, message, expected, actual } = error
    this.#sender.sendNow(encodeServerFrame({ type: 'error', code, message, expected, actual }))
    this.#end(code)
    this.#call.emit('error', { code: exExErrorCodes[code].status, details: message })
  }

  #end(reason: string): void {
    if (this.#closed) return
    this.#closed = true
    clearInterval(this.#tick)
    if (this.#consumer !== undefined) this.#context.consumers.detach(this.#consumer, this)
    this.#sender.close()
    this.#work.notify()
    this.#context.sessions.delete(this)
    this.#context.metrics.sessionClosed(reason)
    this.#logger.debug({ reason }, 'session ended')
  }
}

/** Whether an error is an answer to the consumer, rather than a passing trouble of the source. */
const isFinal = (error: unknown): boolean => error instanceof ExExError || codeOf(error) === 'HISTORY_PRUNED'

const codeOf = (error: unknown): unknown =>
  error instanceof Error && 'code' in error ? error.code : undefined

function toExExError(cause: unknown): ExExError {
  if (cause instanceof ExExError) return cause
  // Sources have pruned-history errors of their own.
  if (codeOf(cause) === 'HISTORY_PRUNED') {
    const oldest = (cause as { oldestBlock?: bigint }).oldestBlock ?? 0n
    return new HistoryPrunedError(oldest > 0n ? oldest - 1n : 0n, oldest)
  }
  const actual = cause instanceof Error ? cause.message : String(cause)
  return new ExExError('UNAVAILABLE', { where: 'source', expected: 'an answer', actual, cause })
}
