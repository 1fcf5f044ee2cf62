import { Observable, type Subscriber } from 'rxjs'
import type { BlockRef, Notification } from '../../notification/types.ts'
import { ExExError } from '../errors.ts'
import { ClientSession, type PendingAck } from './clientSession.ts'
import { CreditWindow } from './creditWindow.ts'
import type { ExExEvent } from './events.ts'
import { type ClientDependencies, type ConnectOptions, clientLimitsOf, noClientMetrics } from './options.ts'

export type ExExClientState = {
  readonly connected: boolean
  /** Sessions begun, the present one included. */
  readonly sessions: number
  readonly ancestor: BlockRef | undefined
  readonly head: BlockRef | undefined
  readonly safe: BlockRef | undefined
  readonly finalized: BlockRef | undefined
  readonly finishedHeight: BlockRef | undefined
  /** Head minus what was acknowledged as processed. */
  readonly lagBlocks: bigint | undefined
  readonly syncing: boolean
  /** Why the server cannot follow the node just now, in its words. */
  readonly problem: string | undefined
  /** Received and not yet granted, or not yet whole. */
  readonly bufferedBytes: number
  readonly lastError: ExExError | undefined
}

export type ExExClient = {
  /**
   * Connects on subscribe, says goodbye on unsubscribe; one subscriber at a time. Reconnects by itself with the
   * locator; errors only with an `ExExError` that no retry can help (`fatal`), completes when the signal is aborted.
   */
  readonly events$: Observable<ExExEvent>
  /** Tells the server how far the consumer is; `durable` at most `processed`. The latest is sent, older ones are not. */
  acknowledge(processed: BlockRef, durable: BlockRef | undefined): void
  /** Gives the notification's credit back, when it is processed: this is what bounds memory. */
  grant(notification: Pick<Notification, 'bytes'>): void
  state(): ExExClientState
}

/**
 * A consumer of a chain served by `exex.v1`.
 *
 *     const client = connectExEx({ url: 'grpc://127.0.0.1:10000', consumerId: 'one', locator }, { logger })
 *     client.events$.subscribe((event) => {
 *       if (event.type === 'welcome') unwindTo(event.ancestor)
 *       if (event.type === 'notification') client.grant(apply(event.notification))
 *     })
 */
export function connectExEx(options: ConnectOptions, dependencies: ClientDependencies): ExExClient {
  const { logger, signal, metrics = noClientMetrics, random = Math.random, now = Date.now } = dependencies
  const limits = clientLimitsOf(options)
  const credit = new CreditWindow({ bytes: limits.windowBytes, notifications: limits.windowNotifications })
  let session: ClientSession | undefined
  let isSubscribed = false
  let lastAck: PendingAck | undefined
  let state: Omit<ExExClientState, 'bufferedBytes' | 'lagBlocks'> = {
    connected: false,
    sessions: 0,
    ancestor: undefined,
    head: undefined,
    safe: undefined,
    finalized: undefined,
    finishedHeight: undefined,
    syncing: false,
    problem: undefined,
    lastError: undefined,
  }

  const events$ = new Observable<ExExEvent>((subscriber) => {
    if (isSubscribed) {
      subscriber.error(
        new ExExError('BAD_REQUEST', {
          where: 'events$',
          expected: 'one subscriber at a time',
          actual: 'another',
        }),
      )
      return
    }
    isSubscribed = true
    let failures = 0
    let timer: NodeJS.Timeout | undefined
    const complete = () => subscriber.complete()

    const open = () => {
      session = new ClientSession(
        options,
        limits,
        credit,
        { metrics, now },
        {
          event: (event) => {
            note(event)
            subscriber.next(event)
          },
          healthy: () => {
            failures = 0
          },
          failed: (error) => {
            session = undefined
            state = { ...state, connected: false, lastError: error }
            if (error.fatal) {
              logger.error({ code: error.code, err: error }, 'exex stream ended')
              subscriber.error(error)
              return
            }
            const waitMs = backoff(failures++)
            logger.warn({ code: error.code, err: error, waitMs }, 'exex session lost: connecting again')
            timer = setTimeout(attempt, waitMs)
          },
        },
      )
    }
    const attempt = () => tryOpen(open, subscriber)

    if (signal?.aborted === true) complete()
    else {
      signal?.addEventListener('abort', complete, { once: true })
      attempt()
    }
    return () => {
      isSubscribed = false
      clearTimeout(timer)
      signal?.removeEventListener('abort', complete)
      session?.close()
      session = undefined
      state = { ...state, connected: false }
    }
  })

  function note(event: ExExEvent): void {
    if (event.type === 'welcome') {
      const { ancestor, head, safe, finalized } = event
      state = { ...state, connected: true, sessions: state.sessions + 1, ancestor, head, safe, finalized }
      logger.info({ ancestor, head, server: event.server }, 'exex session opened')
    } else if (event.type === 'heads') {
      const { head, safe, finalized, syncing, problem } = event
      state = { ...state, head, safe, finalized, syncing, problem }
    } else if (event.type === 'notification') {
      const { head, safe, finalized } = event.notification
      state = { ...state, head, safe, finalized, problem: undefined }
    } else if (event.type === 'acknowledged') {
      state = { ...state, finishedHeight: event.finishedHeight }
    } else {
      logger.warn({ kind: event.kind, message: event.message }, 'exex server directive')
    }
  }

  /** Doubling, capped, between half and all of it by chance: consumers of one server do not come back all at once. */
  function backoff(failures: number): number {
    const full = Math.min(limits.maxBackoffMs, limits.backoffMs * 2 ** Math.min(failures, 20))
    return full * (0.5 + random() / 2)
  }

  return {
    events$,
    acknowledge(processed, durable) {
      lastAck = { processed, durable }
      session?.acknowledge(lastAck)
    },
    grant({ bytes }) {
      const grant = credit.granted(bytes)
      if (grant !== undefined) session?.grant(grant.bytes, grant.notifications)
    },
    state() {
      const { head } = state
      const processed = lastAck?.processed.number
      const lagBlocks = head === undefined || processed === undefined ? undefined : head.number - processed
      return {
        ...state,
        lagBlocks: lagBlocks !== undefined && lagBlocks < 0n ? 0n : lagBlocks,
        bufferedBytes: credit.outstandingBytes + (session?.bufferedBytes ?? 0),
      }
    },
  }
}

/** What cannot even be tried (a URL, a certificate file) ends the stream; it is not thrown out of a timer. */
function tryOpen(open: () => void, subscriber: Subscriber<ExExEvent>): void {
  try {
    open()
  } catch (error) {
    subscriber.error(error)
  }
}
