import type { ClientDuplexStream, ServiceError } from '@grpc/grpc-js'
import type { BlockRef } from '../../notification/types.ts'
import { ExExError } from '../errors.ts'
import { decodeServerFrames, encodeClientFrame } from '../frameCodec.ts'
import {
  type ClientFrame,
  type HelloFrame,
  PACK_FEATURE,
  protocolVersions,
  type ServerFrame,
} from '../frames.ts'
import { exExMethods } from '../service.ts'
import type { CreditWindow } from './creditWindow.ts'
import type { ExExEvent } from './events.ts'
import { NotificationAssembler } from './notificationAssembler.ts'
import { type Channel, openChannel } from './openChannel.ts'
import type { ClientLimits, ConnectOptions, ExExClientMetrics } from './options.ts'
import { fromErrorFrame, fromStatus } from './statusError.ts'

export type ClientSessionHandlers = {
  readonly event: (event: ExExEvent) => void
  /** Once, when the session is over; never after `close`. */
  readonly failed: (error: ExExError) => void
  /** The server keeps its promises: the next failure is a new one. */
  readonly healthy: () => void
}

/** An acknowledgement waiting to be sent. */
export type PendingAck = { readonly processed: BlockRef; readonly durable: BlockRef | undefined }

/** Message heads and the like, over what a frame itself may hold. */
const RECEIVE_SLACK_BYTES = 1024
/** How long a goodbye may take, milliseconds. */
const GOODBYE_MS = 1000
/** One would add the link's way there and back to the next block's; without a bound a slow server would be sent every block's. */
const ACKS_IN_FLIGHT = 8

/** One attempt at a session, from Hello until it fails or is closed. */
export class ClientSession {
  readonly #options: ConnectOptions
  readonly #limits: ClientLimits
  readonly #credit: CreditWindow
  readonly #metrics: ExExClientMetrics
  readonly #now: () => number
  readonly #handlers: ClientSessionHandlers
  readonly #channel: Channel
  readonly #call: ClientDuplexStream<Buffer, Buffer>
  readonly #silence: NodeJS.Timeout
  #assembler: NotificationAssembler | undefined
  #closed = false
  #lastFrameMs: number
  #pendingAck: PendingAck | undefined
  #acksInFlight = 0

  constructor(
    options: ConnectOptions,
    limits: ClientLimits,
    credit: CreditWindow,
    dependencies: { readonly metrics: ExExClientMetrics; readonly now: () => number },
    handlers: ClientSessionHandlers,
  ) {
    this.#options = options
    this.#limits = limits
    this.#credit = credit
    this.#metrics = dependencies.metrics
    this.#now = dependencies.now
    this.#handlers = handlers
    this.#channel = openChannel(options, {
      maxReceiveBytes: limits.maxFrameBytes + RECEIVE_SLACK_BYTES,
      keepaliveMs: limits.silenceMs,
    })
    const { path, requestSerialize, responseDeserialize } = exExMethods.session
    this.#call = this.#channel.client.makeBidiStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      this.#channel.metadata,
    )
    this.#lastFrameMs = this.#now()
    this.#silence = setInterval(() => this.#checkSilence(), Math.max(10, limits.silenceMs / 4))
    this.#call.on('data', (bytes: Buffer) => this.#onMessage(bytes))
    this.#call.on('error', (error: ServiceError) => this.#fail(fromStatus(error)))
    this.#call.on('end', () => {
      // The status of a failed call comes as an error; a server that ends well has still left us.
      setImmediate(() => this.#fail(ended()))
    })
    this.#write(this.#hello())
  }

  /** Bytes of a notification that is not whole yet. */
  get bufferedBytes(): number {
    return this.#assembler?.bufferedBytes ?? 0
  }

  acknowledge(ack: PendingAck): void {
    this.#pendingAck = ack
    this.#sendAck()
  }

  grant(bytes: number, notifications: number): void {
    // Before the welcome the grant is part of what the session opens with.
    if (this.#assembler !== undefined) this.#write({ type: 'credit', bytes: BigInt(bytes), notifications })
  }

  /** Says goodbye, with the last acknowledgement before it, and closes. */
  close(): void {
    if (this.#closed) return
    this.#acksInFlight = 0
    this.#sendAck()
    this.#write({ type: 'bye', reason: 'unsubscribed' })
    this.#stop()
    this.#call.end()
    const cancel = setTimeout(() => this.#call.cancel(), GOODBYE_MS)
    this.#call.once('status', () => {
      clearTimeout(cancel)
      this.#channel.client.close()
    })
  }

  #hello(): HelloFrame {
    const position = this.#options.locator()
    return {
      type: 'hello',
      protocolMin: protocolVersions.min,
      protocolMax: protocolVersions.max,
      features: [PACK_FEATURE],
      consumerId: this.#options.consumerId,
      mode: this.#options.mode ?? 'durable',
      chainId: this.#options.chainId ?? 0n,
      genesisHash: this.#options.genesisHash,
      profile: this.#options.profile ?? 'transactions',
      maxFrameBytes: this.#limits.maxFrameBytes,
      locator: position.blocks,
      start: this.#options.start,
      finalized: position.finalized,
      durable: position.durable,
    }
  }

  #onMessage(bytes: Buffer): void {
    if (this.#closed) return
    this.#lastFrameMs = this.#now()
    try {
      for (const frame of decodeServerFrames(bytes)) {
        if (this.#closed) return
        this.#onFrame(frame)
      }
    } catch (error) {
      if (!(error instanceof ExExError)) throw error
      // What cannot be read is lost data, whatever the reason.
      this.#fail(
        error.code === 'MALFORMED'
          ? new ExExError('DATA_LOSS', {
              where: error.where,
              expected: error.expected,
              actual: error.actual,
              cause: error,
            })
          : error,
      )
    }
  }

  #onFrame(frame: ServerFrame): void {
    if (frame.type === 'error') {
      this.#fail(fromErrorFrame(frame))
      return
    }
    if (frame.type === 'directive') {
      this.#handlers.event(frame)
      return
    }
    if (frame.type === 'welcome') {
      this.#onWelcome(frame)
      return
    }
    const assembler = this.#assembler
    if (assembler === undefined) {
      throw new ExExError('DATA_LOSS', { where: 'session', expected: 'welcome first', actual: frame.type })
    }
    switch (frame.type) {
      case 'heartbeat':
        if (frame.nonce !== 0n) this.#write({ type: 'pong', nonce: frame.nonce })
        assembler.checkLastSeq(frame.lastSeq)
        this.#handlers.healthy()
        this.#handlers.event({
          type: 'heads',
          head: frame.head,
          safe: frame.safe,
          finalized: frame.finalized,
          syncing: frame.syncing,
          problem: frame.problem,
        })
        return
      case 'acknowledged':
        this.#acksInFlight = Math.max(0, this.#acksInFlight - 1)
        this.#handlers.event(frame)
        this.#sendAck()
        return
      default: {
        const assembled = assembler.push(frame, this.#now())
        if (assembled === undefined) return
        this.#handlers.healthy()
        if (assembled.type === 'duplicate') {
          this.#metrics.duplicate()
          // The server counted it: without its credit back the window would shrink for good.
          this.grant(assembled.bytes, 1)
          return
        }
        this.#deliver(assembled.notification)
      }
    }
  }

  #deliver(notification: Extract<ExExEvent, { type: 'notification' }>['notification']): void {
    const { bytes } = notification
    this.#credit.delivered(bytes)
    this.#metrics.received({
      blocks: notification.kind === 'reverted' ? 0 : notification.blocks.length,
      bytes,
    })
    this.#metrics.bufferedBytes(this.#credit.outstandingBytes + this.bufferedBytes)
    this.#handlers.event({ type: 'notification', notification })
    this.#sendAck()
  }

  #onWelcome(frame: Extract<ServerFrame, { type: 'welcome' }>): void {
    if (this.#assembler !== undefined) {
      throw new ExExError('DATA_LOSS', { where: 'session', expected: 'one welcome', actual: 'another' })
    }
    this.#checkWelcome(frame)
    this.#assembler = new NotificationAssembler({
      epoch: frame.epoch,
      firstSeq: frame.firstSeq,
      ancestor: frame.ancestor,
      maxNotificationBytes: this.#limits.maxNotificationBytes,
    })
    this.#metrics.connected()
    this.#handlers.event({
      type: 'welcome',
      epoch: frame.epoch.toString(16),
      ancestor: frame.ancestor,
      head: frame.head,
      safe: frame.safe,
      finalized: frame.finalized,
      chainId: frame.chainId,
      genesisHash: frame.genesisHash,
      oldestBlock: frame.oldestBlock,
      server: frame.server,
    })
    const grant = this.#credit.open()
    this.grant(grant.bytes, grant.notifications)
    this.#sendAck()
  }

  /** The server checks too, but a consumer does not rely on it for which chain it applies. */
  #checkWelcome(frame: Extract<ServerFrame, { type: 'welcome' }>): void {
    const { chainId, genesisHash } = this.#options
    if (frame.protocol < protocolVersions.min || frame.protocol > protocolVersions.max) {
      const expected = `${protocolVersions.min} to ${protocolVersions.max}`
      throw new ExExError('VERSION_MISMATCH', {
        where: 'welcome.protocol',
        expected,
        actual: `${frame.protocol}`,
      })
    }
    if (chainId !== undefined && frame.chainId !== chainId) {
      throw new ExExError('CHAIN_MISMATCH', {
        where: 'welcome.chain_id',
        expected: `${chainId}`,
        actual: `${frame.chainId}`,
      })
    }
    if (genesisHash !== undefined && frame.genesisHash !== genesisHash) {
      throw new ExExError('GENESIS_MISMATCH', {
        where: 'welcome.genesis_hash',
        expected: genesisHash,
        actual: frame.genesisHash,
      })
    }
  }

  /**
   * At most `ACKS_IN_FLIGHT` unanswered, always the latest; and only of blocks this session carries: what an earlier session brought
   * waits until it is on this one's chain.
   */
  #sendAck(): void {
    const ack = this.#pendingAck
    const chain = this.#assembler?.chain
    if (ack === undefined || chain === undefined || this.#acksInFlight >= ACKS_IN_FLIGHT) return
    for (const ref of [ack.processed, ack.durable]) {
      if (ref === undefined) continue
      const known = chain.find(ref)
      if (known !== 'carried' && known !== 'below') return
    }
    this.#pendingAck = undefined
    this.#acksInFlight += 1
    this.#write({ type: 'ack', ...ack })
  }

  #write(frame: ClientFrame): void {
    if (!this.#closed) this.#call.write(encodeClientFrame(frame))
  }

  #checkSilence(): void {
    const silentMs = this.#now() - this.#lastFrameMs
    if (silentMs <= this.#limits.silenceMs) return
    this.#fail(
      new ExExError('SILENCE', {
        where: 'session',
        expected: `a frame within ${this.#limits.silenceMs} ms`,
        actual: `none for ${Math.round(silentMs)} ms`,
      }),
    )
  }

  #fail(error: ExExError): void {
    if (this.#closed) return
    this.#stop()
    this.#call.cancel()
    this.#channel.client.close()
    this.#metrics.disconnected(error)
    this.#handlers.failed(error)
  }

  #stop(): void {
    this.#closed = true
    clearInterval(this.#silence)
  }
}

const ended = (): ExExError =>
  new ExExError('UNAVAILABLE', {
    where: 'call',
    expected: 'the server to go on',
    actual: 'it ended the stream',
  })
