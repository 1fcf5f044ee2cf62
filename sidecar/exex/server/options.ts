import type { ChainSource } from './types.ts'

export type ServerTls = {
  /** PEM files. */
  readonly certFile: string
  readonly keyFile: string
  /** PEM of the authority that client certificates must come from; unset: clients need none. */
  readonly clientCaFile?: string
}

/** A bearer token; with `consumerId` it is good for that consumer alone. */
export type ServerToken = { readonly token: string; readonly consumerId?: string }

export type ExExServerOptions = {
  readonly source: ChainSource
  /** `host:port` (port 0: any free one) or `unix:/path`. */
  readonly listen: string
  readonly tls?: ServerTls
  /** Lines `token` or `consumer-id:token`; empty lines and lines that begin with `#` are skipped. Adds to `tokens`. */
  readonly tokenFile?: string
  /** None, and no `tokenFile`: every client is let in. */
  readonly tokens?: readonly ServerToken[]
  /** gRPC reflection, v1 and v1alpha. Default false. */
  readonly reflection?: boolean
} & Partial<ExExServerLimits>

export type ExExServerLimits = {
  /** Blocks kept for live delivery. Default 1024. */
  readonly ringBlocks: number
  /** Bytes of encoded blocks kept for live delivery. Default 128 MiB. */
  readonly ringBytes: number
  /** Blocks in one notification at most. Default 64. */
  readonly batchBlocks: number
  /** Bytes in one notification at most, but for a single block that is larger. Default 1 MiB. */
  readonly batchBytes: number
  /** Largest frame sent; a client may ask for less. Default 4 MiB. */
  readonly maxFrameBytes: number
  /** Bytes written to one session and not yet taken by its connection. Default 4 MiB. */
  readonly sendBufferBytes: number
  /** Entries a locator may have. Default 256. */
  readonly maxLocator: number
  /** Blocks a durable consumer may let pass without progress before it stops holding FinishedHeight. Default 7200. */
  readonly evictAfterBlocks: bigint
  /** Stands in for the finalized block of a node that has none: head minus this. Default 64. */
  readonly finalityDepth: bigint
  /** Heartbeat when nothing else was sent for so long, milliseconds. Default 1000. */
  readonly heartbeatMs: number
  /** A heartbeat that must be answered, milliseconds. Default 10 000. */
  readonly pingMs: number
  /** How long a client may take to say Hello or to answer a ping, milliseconds. Default 20 000. */
  readonly pingTimeoutMs: number
  /** Wait before a failed read of the source is tried again, milliseconds. Default 1000. */
  readonly sourceRetryMs: number
  /** How long open sessions get to end when the server closes, milliseconds. Default 2000. */
  readonly closeTimeoutMs: number
}

export const defaultLimits: ExExServerLimits = {
  ringBlocks: 1024,
  ringBytes: 128 << 20,
  batchBlocks: 64,
  batchBytes: 1 << 20,
  maxFrameBytes: 4 << 20,
  sendBufferBytes: 4 << 20,
  maxLocator: 256,
  evictAfterBlocks: 7200n,
  finalityDepth: 64n,
  heartbeatMs: 1000,
  pingMs: 10_000,
  pingTimeoutMs: 20_000,
  sourceRetryMs: 1000,
  closeTimeoutMs: 2000,
}

/** The limits in force: the given ones over the defaults. */
export function limitsOf(options: Partial<ExExServerLimits>): ExExServerLimits {
  const limits = { ...defaultLimits }
  for (const name of Object.keys(defaultLimits) as (keyof ExExServerLimits)[]) {
    if (options[name] !== undefined) Object.assign(limits, { [name]: options[name] })
  }
  return limits
}
