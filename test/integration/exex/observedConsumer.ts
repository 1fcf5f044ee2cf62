import { pino } from 'pino'
import type { Subscription } from 'rxjs'
import { buildLocator } from '../../../sidecar/exex/client/buildLocator.ts'
import { connectExEx, type ExExClient } from '../../../sidecar/exex/client/connectExEx.ts'
import type { ExExEvent } from '../../../sidecar/exex/client/events.ts'
import type { ConnectOptions, ExExClientMetrics } from '../../../sidecar/exex/client/options.ts'
import type { ExExError } from '../../../sidecar/exex/errors.ts'
import type { BlockRef, Notification } from '../../../sidecar/notification/types.ts'

export const quiet = pino({ level: process.env.TEST_LOG ?? 'silent' })

/** A consumer that keeps the chain it was told, and says so when it is wrong. */
export type ObservedConsumer = {
  readonly client: ExExClient
  readonly events: readonly ExExEvent[]
  readonly notifications: readonly Notification[]
  /** The chain as told, from the first ancestor on. */
  readonly chain: readonly BlockRef[]
  readonly tip: BlockRef | undefined
  readonly error: ExExError | undefined
  readonly completed: boolean
  readonly disconnects: readonly ExExError[]
  readonly duplicates: number
  /** Resolves when `condition` holds; looks after every event and error. */
  until(what: string, condition: () => boolean): Promise<void>
  stop(): void
}

export type ObservedOptions = Partial<ConnectOptions> & {
  readonly url: string
  /** Grant every notification when it comes. Default true. */
  readonly grants?: boolean
  /** Acknowledge every notification as processed and durable when it comes. Default false. */
  readonly acknowledges?: boolean
  /** The chain to begin with, as after a restart. */
  readonly chain?: readonly BlockRef[]
  readonly signal?: AbortSignal
}

export function observeConsumer(options: ObservedOptions): ObservedConsumer {
  const { grants = true, acknowledges = false, signal } = options
  let chain: BlockRef[] = [...(options.chain ?? [])]
  let finalized: BlockRef | undefined
  let durable: BlockRef | undefined
  const events: ExExEvent[] = []
  const notifications: Notification[] = []
  const disconnects: ExExError[] = []
  let duplicates = 0
  let error: ExExError | undefined
  let completed = false
  let waiting: (() => void)[] = []
  const look = () => {
    for (const check of waiting) check()
  }

  const metrics: ExExClientMetrics = {
    connected: () => {},
    disconnected: (reason) => {
      disconnects.push(reason)
      look()
    },
    received: () => {},
    duplicate: () => {
      duplicates++
      look()
    },
    bufferedBytes: () => {},
  }
  const client = connectExEx(
    {
      consumerId: 'observed',
      locator: () => ({ blocks: buildLocator(chain, finalized), finalized, durable }),
      backoffMs: 5,
      maxBackoffMs: 20,
      ...options,
    },
    { logger: quiet, metrics, ...(signal === undefined ? {} : { signal }) },
  )

  function unwindTo(ref: BlockRef): void {
    const at = chain.findIndex((one) => one.hash === ref.hash)
    if (at === -1 && chain.length > 0)
      throw new Error(`told to unwind to ${ref.number}, which is not on this chain`)
    chain = at === -1 ? [ref] : chain.slice(0, at + 1)
  }

  function apply(notification: Notification): void {
    if (notification.kind !== 'committed') {
      for (const ref of notification.undo.toReversed()) {
        if (chain.at(-1)?.hash !== ref.hash)
          throw new Error(`told to undo ${ref.number}, which is not the tip`)
        chain.pop()
      }
    }
    if (notification.kind === 'reverted') return
    for (const block of notification.blocks) {
      if (chain.at(-1)?.hash !== block.parent.hash) unwindTo(block.parent)
      chain.push(block.ref)
    }
  }

  const subscription: Subscription = client.events$.subscribe({
    next(event) {
      events.push(event)
      if (event.type === 'welcome' && event.ancestor !== undefined) unwindTo(event.ancestor)
      if (event.type === 'notification') {
        notifications.push(event.notification)
        apply(event.notification)
        // What is final above our tip, while we catch up, is not on our chain yet.
        const final = event.notification.finalized
        if (chain.some((ref) => ref.hash === final?.hash)) finalized = final
        if (acknowledges) {
          durable = chain.at(-1)!
          client.acknowledge(durable, durable)
        }
        if (grants) client.grant(event.notification)
      }
      look()
    },
    error(reason: ExExError) {
      error = reason
      look()
    },
    complete() {
      completed = true
      look()
    },
  })

  return {
    client,
    events,
    notifications,
    disconnects,
    get duplicates() {
      return duplicates
    },
    get chain() {
      return chain
    },
    get tip() {
      return chain.at(-1)
    },
    get error() {
      return error
    },
    get completed() {
      return completed
    },
    until(what, condition) {
      return new Promise((resolve, reject) => {
        const done = () => {
          clearTimeout(timer)
          waiting = waiting.filter((one) => one !== check)
        }
        const timer = setTimeout(() => {
          done()
          const seen = `tip ${chain.at(-1)?.number}, ${notifications.length} notifications, error ${error?.message}`
          reject(new Error(`never came: ${what} (${seen}; last disconnect ${disconnects.at(-1)?.message})`))
        }, 15_000)
        const check = () => {
          if (!condition()) return
          done()
          resolve()
        }
        waiting.push(check)
        check()
      })
    },
    stop: () => subscription.unsubscribe(),
  }
}
