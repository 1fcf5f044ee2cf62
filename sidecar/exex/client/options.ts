import type { Logger } from 'pino'
import type { Hash } from 'viem'
import type { BlockRef } from '../../notification/types.ts'
import type { ExExError } from '../errors.ts'
import { FRAME_LIMIT_BYTES, type Mode, type Profile } from '../frames.ts'

/** Where a consumer stands: asked at every connect. */
export type Position = {
  /** Recent blocks of the chain as received, newest first: see `buildLocator`. Empty: from `start`. */
  readonly blocks: readonly BlockRef[]
  /** What the consumer holds for final: it is never unwound below. */
  readonly finalized: BlockRef | undefined
  /** Everything at or below is durable. */
  readonly durable: BlockRef | undefined
}

export type ClientTls = {
  /** PEM of the authority the server's certificate must come from; unset: the system's. */
  readonly caFile?: string
  /** PEM files of this client's own certificate, for servers that ask for one. */
  readonly certFile?: string
  readonly keyFile?: string
  /** The name the certificate is for, where it is not the host connected to. */
  readonly serverName?: string
}

/** How to reach a server. */
export type Endpoint = {
  /** `grpc://host:port`, `grpcs://host:port` (TLS) or `unix:/path`. */
  readonly url: string
  /** Only with `grpcs://`. */
  readonly tls?: ClientTls
  /** Bearer token. */
  readonly token?: string
}

export type ConnectOptions = Endpoint & {
  readonly consumerId: string
  /** `durable` holds FinishedHeight back to what is acknowledged, `observer` holds nothing. Default `durable`. */
  readonly mode?: Mode
  /** What blocks carry: `receipts` has logs too. Default `transactions`. */
  readonly profile?: Profile
  /** Refuse a server of another chain. Default: take the server's. */
  readonly chainId?: bigint
  readonly genesisHash?: Hash
  readonly locator: () => Position
  /** The first block wanted while the locator is empty. Default 1. */
  readonly start?: bigint
} & Partial<ClientLimits>

export type ClientLimits = {
  /** Bytes received and not yet granted, at most (one notification may exceed it). Default 32 MiB. */
  readonly windowBytes: number
  /** Notifications received and not yet granted, at most. Default 256. */
  readonly windowNotifications: number
  /** Largest frame taken. Default 4 MiB. */
  readonly maxFrameBytes: number
  /** Largest notification taken, all frames together. Default 256 MiB. */
  readonly maxNotificationBytes: number
  /** A server that says nothing for so long is left, milliseconds. Default 20 000. */
  readonly silenceMs: number
  /** First wait before connecting again, doubled at each failure, milliseconds. Default 100. */
  readonly backoffMs: number
  /** Longest wait, milliseconds. Default 10 000. */
  readonly maxBackoffMs: number
}

export const defaultClientLimits: ClientLimits = {
  windowBytes: 32 << 20,
  windowNotifications: 256,
  maxFrameBytes: FRAME_LIMIT_BYTES,
  maxNotificationBytes: 256 << 20,
  silenceMs: 20_000,
  backoffMs: 100,
  maxBackoffMs: 10_000,
}

export function clientLimitsOf(options: Partial<ClientLimits>): ClientLimits {
  const limits = { ...defaultClientLimits }
  for (const name of Object.keys(limits) as (keyof ClientLimits)[]) {
    const given = options[name]
    if (given !== undefined) Object.assign(limits, { [name]: given })
  }
  return limits
}

/** What a client reports of itself, as it happens. */
export type ExExClientMetrics = {
  connected(): void
  disconnected(error: ExExError): void
  received(facts: { readonly blocks: number; readonly bytes: number }): void
  /** A notification that had been received already, and was dropped. */
  duplicate(): void
  bufferedBytes(bytes: number): void
}

export const noClientMetrics: ExExClientMetrics = {
  connected: () => {},
  disconnected: () => {},
  received: () => {},
  duplicate: () => {},
  bufferedBytes: () => {},
}

export type ClientDependencies = {
  readonly logger: Logger
  readonly metrics?: ExExClientMetrics
  /** Completes the stream when aborted. */
  readonly signal?: AbortSignal
  /** 0 to 1, for jitter. Default `Math.random`. */
  readonly random?: () => number
  /** Unix milliseconds. Default `Date.now`. */
  readonly now?: () => number
}
