import type { ClientReadableStream, ServiceError } from '@grpc/grpc-js'
import { Observable } from 'rxjs'
import type { Block, BlockRef, Notification } from '../../notification/types.ts'
import { ExExError } from '../errors.ts'
import { parse } from '../messageCodec.ts'
import { RecentChain } from '../recentChain.ts'
import type { RemoteChain, RemoteNotification } from '../remoteMessages.ts'
import { DEGRADED_HEADER, remoteMethods, remoteReadSchema } from '../remoteService.ts'
import { CreditWindow } from './creditWindow.ts'
import type { ExExEvent } from './events.ts'
import { fromRemoteBlock } from './fromRemoteBlock.ts'
import { openChannel } from './openChannel.ts'
import { type ClientDependencies, type ClientLimits, clientLimitsOf, type Endpoint } from './options.ts'
import { fromStatus } from './statusError.ts'

const NotificationMessage = remoteReadSchema.lookupType('exex.ExExNotification')

export type OfficialOptions = Endpoint & {
  /** Blocks `from` to `to`, both included, from elsewhere, to bridge what the service did not send. */
  readonly fillGap?: (from: bigint, to: bigint) => Promise<readonly Block[]>
  /** The chain held already, oldest first: what is sent must follow it. None: the first block received is the start. */
  readonly held?: readonly BlockRef[]
} & Partial<
    Pick<
      ClientLimits,
      'windowBytes' | 'windowNotifications' | 'maxNotificationBytes' | 'backoffMs' | 'maxBackoffMs'
    >
  >

export type OfficialClient = {
  readonly events$: Observable<ExExEvent>
  grant(notification: Pick<Notification, 'bytes'>): void
}

/**
 * A consumer of the official `exex.RemoteExEx/Subscribe`, with the events of `connectExEx` and less behind them: it
 * starts at the first block received, cannot resume, and has no acknowledgements. A gap is filled by `fillGap`; without
 * it, or when what it gives does not fit, the stream ends with `ExExError` GAP. While the window is used up the
 * connection is not read.
 */
export function connectOfficial(options: OfficialOptions, dependencies: ClientDependencies): OfficialClient {
  const { logger, signal, random = Math.random, now = Date.now } = dependencies
  const limits = clientLimitsOf(options)
  const credit = new CreditWindow({ bytes: limits.windowBytes, notifications: limits.windowNotifications })
  let outstanding = 0
  let chain = recentChainOf(options.held ?? [])
  let sequence = 0n
  let granted = () => {}
  const hasRoom = () =>
    credit.outstandingBytes < limits.windowBytes && outstanding < limits.windowNotifications

  const events$ = new Observable<ExExEvent>((subscriber) => {
    let failures = 0
    let timer: NodeJS.Timeout | undefined
    let stop = () => {}
    const complete = () => subscriber.complete()
    signal?.addEventListener('abort', complete, { once: true })

    const attempt = () => {
      const { client, metadata } = openChannel(options, {
        maxReceiveBytes: limits.maxNotificationBytes,
        keepaliveMs: limits.silenceMs,
      })
      const { path, requestSerialize, responseDeserialize } = remoteMethods.subscribe
      const call: ClientReadableStream<Buffer> = client.makeServerStreamRequest(
        path,
        requestSerialize,
        responseDeserialize,
        Buffer.alloc(0),
        metadata,
      )
      let isOver = false
      stop = () => {
        isOver = true
        call.cancel()
        client.close()
      }
      const fail = (error: ExExError) => {
        if (isOver) return
        stop()
        if (error.fatal) {
          logger.error({ code: error.code, err: error }, 'official exex stream ended')
          subscriber.error(error)
          return
        }
        const waitMs =
          Math.min(limits.maxBackoffMs, limits.backoffMs * 2 ** Math.min(failures++, 20)) *
          (0.5 + random() / 2)
        logger.warn({ code: error.code, err: error, waitMs }, 'official exex stream lost: connecting again')
        timer = setTimeout(attempt, waitMs)
      }
      granted = () => {
        if (!isOver && hasRoom()) call.resume()
      }
      call.on('metadata', (answer) => {
        const degraded = answer.get(DEGRADED_HEADER).join(',')
        subscriber.next(welcome(degraded === '' ? 'exex.RemoteExEx' : `exex.RemoteExEx without ${degraded}`))
      })
      call.on('data', (bytes: Buffer) => {
        // One at a time: filling a gap takes a while, and what follows has to wait for it.
        call.pause()
        take(bytes).then(
          (notifications) => {
            if (isOver) return
            failures = 0
            for (const notification of notifications) {
              credit.delivered(notification.bytes)
              outstanding++
              subscriber.next({ type: 'notification', notification })
            }
            if (hasRoom()) call.resume()
          },
          (error: unknown) => {
            if (error instanceof ExExError) fail(error)
            else {
              stop()
              subscriber.error(error)
            }
          },
        )
      })
      call.on('error', (error: ServiceError) => fail(fromStatus(error)))
      // The example's server ends the stream in silence when a client is too slow for it.
      call.on('end', () => setImmediate(() => fail(fromEnd())))
    }
    if (signal?.aborted === true) complete()
    else attempt()
    return () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', complete)
      stop()
    }
  })

  /** What one message of the service comes to: itself, and before it what fills a gap. */
  async function take(bytes: Buffer): Promise<readonly Notification[]> {
    const message = parse(NotificationMessage, bytes) as RemoteNotification
    const { chainCommitted, chainReorged, chainReverted } = message
    const old = chainReorged?.old ?? chainReverted?.old
    const blocks = blocksOf(chainCommitted?.new ?? chainReorged?.new)
    const undo = old === undefined ? [] : blocksOf(old).map((block) => block.ref)
    // What was undone before anything was received concerns nobody here.
    const known = chain
    const carried = known === undefined ? [] : undo.filter((ref) => known.find(ref) === 'carried')
    if (carried.length > 0 && carried.at(-1)!.hash !== known!.tip.hash) {
      throw gap(`an undo of the tip ${known!.tip.number}`, `one of ${carried.at(-1)!.number}`)
    }
    const notifications: Notification[] = []
    const parent = blocks[0]?.parent ?? (undo[0] && blocksOf(old!)[0]!.parent)
    if (parent === undefined) return []
    const size = { value: bytes.length }
    if (
      known !== undefined &&
      carried.length === 0 &&
      blocks.length > 0 &&
      known.find(parent) !== 'carried'
    ) {
      const missing = await fill(known.tip, parent)
      notifications.push(toNotification([], missing, known.tip, 'catchUp', { value: 0 }))
    }
    if (blocks.length > 0 || carried.length > 0)
      notifications.push(toNotification(carried, blocks, parent, 'live', size))
    return notifications
  }

  function toNotification(
    undo: readonly BlockRef[],
    blocks: readonly Block[],
    parent: BlockRef,
    source: 'live' | 'catchUp',
    size: { readonly value: number },
  ): Notification {
    if (chain === undefined) chain = new RecentChain(parent)
    else chain.unwindTo(parent)
    for (const block of blocks) chain.push(block.ref)
    const time = now()
    const facts = {
      epoch: 'official',
      sequence: ++sequence,
      head: chain.tip,
      safe: undefined,
      finalized: undefined,
      source,
      nodeTimeMs: time,
      receivedTimeMs: time,
      bytes: size.value,
    }
    if (blocks.length === 0) return { ...facts, kind: 'reverted', undo, parent }
    return undo.length === 0
      ? { ...facts, kind: 'committed', blocks }
      : { ...facts, kind: 'reorged', undo, blocks }
  }

  async function fill(tip: BlockRef, parent: BlockRef): Promise<readonly Block[]> {
    if (options.fillGap === undefined || parent.number <= tip.number) {
      throw gap(`a block on ${tip.number} ${tip.hash}`, `one on ${parent.number} ${parent.hash}`)
    }
    const blocks = await options.fillGap(tip.number + 1n, parent.number).catch((cause: unknown) => {
      throw gap(`blocks ${tip.number + 1n} to ${parent.number}`, String(cause), cause)
    })
    let last = tip
    for (const block of blocks) {
      if (block.parent.hash !== last.hash)
        throw gap(`a filling on ${last.number} ${last.hash}`, block.parent.hash)
      last = block.ref
    }
    if (last.hash !== parent.hash)
      throw gap(`a filling up to ${parent.number} ${parent.hash}`, `one to ${last.number}`)
    logger.info({ from: tip.number + 1n, to: parent.number }, 'gap filled')
    return blocks
  }

  return {
    events$,
    grant({ bytes }) {
      credit.granted(bytes)
      outstanding--
      granted()
    },
  }
}

function recentChainOf([first, ...rest]: readonly BlockRef[]): RecentChain | undefined {
  if (first === undefined) return undefined
  const chain = new RecentChain(first)
  for (const ref of rest) chain.push(ref)
  return chain
}

function blocksOf(chain: RemoteChain | undefined): readonly Block[] {
  const receipts = chain?.executionOutcome?.receipts
  return (chain?.blocks ?? []).map((block, i) => fromRemoteBlock(block, receipts?.[i]?.receipts))
}

const welcome = (server: string): ExExEvent => ({
  type: 'welcome',
  epoch: 'official',
  ancestor: undefined,
  head: undefined,
  safe: undefined,
  finalized: undefined,
  chainId: undefined,
  genesisHash: undefined,
  oldestBlock: undefined,
  server,
})

const gap = (expected: string, actual: string, cause?: unknown): ExExError =>
  new ExExError('GAP', {
    where: 'official stream',
    expected,
    actual,
    cause,
    advice: 'This service cannot resume: give a JSON-RPC node to fill gaps from, or start anew.',
  })

const fromEnd = (): ExExError =>
  new ExExError('UNAVAILABLE', {
    where: 'call',
    expected: 'the server to go on',
    actual: 'it ended the stream',
  })
