import { hello, openRawSession } from '../support/exex/openRawSession.ts'

export type RawConsumer = Disposable & {
  /** Notifications received whole. */
  readonly notifications: () => number
  /** Bytes of blocks, as announced. */
  readonly bytes: () => bigint
  /** Heights of the last block received. */
  readonly tip: () => bigint
  readonly isOpen: () => boolean
}

/**
 * A durable consumer that takes everything from the first block, answers pings and never acknowledges anything.
 *
 * @param credit how many notifications it grants at first, and whenever `again` says: undefined grants without end
 */
export function openRawConsumer(
  address: string,
  consumerId: string,
  options: { readonly everyMs?: number } = {},
): RawConsumer {
  const session = openRawSession(address)
  let notifications = 0
  let bytes = 0n
  let tip = 0n
  let isOpen = true
  session.send({ ...hello(), consumerId, start: 1n })
  const grant = (count: number) => session.send({ type: 'credit', bytes: 1n << 40n, notifications: count })
  grant(options.everyMs === undefined ? 1_000_000 : 1)
  const timer = options.everyMs === undefined ? undefined : setInterval(() => grant(1), options.everyMs)
  void session.ended.then(() => {
    isOpen = false
    clearInterval(timer)
  })
  void (async () => {
    for (;;) {
      const frame = await session.until(({ type }) => type !== 'chunk')
      if (frame.type === 'heartbeat' && frame.nonce !== 0n) session.send({ type: 'pong', nonce: frame.nonce })
      if (frame.type === 'begin') bytes += frame.totalBytes
      if (frame.type === 'end') {
        notifications += 1
        tip = frame.cursor.number
      }
    }
  })()
  return {
    notifications: () => notifications,
    bytes: () => bytes,
    tip: () => tip,
    isOpen: () => isOpen,
    [Symbol.dispose]: () => {
      clearInterval(timer)
      session.close()
    },
  }
}
