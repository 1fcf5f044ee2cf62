import type { Hash } from 'viem'
import type { BlockRef } from '../notification/types.ts'

// The messages of `exex.proto` as the two ends see them: numbers are bigint, hashes hex, enums words.

/** Protocol versions this code speaks. */
export const protocolVersions = { min: 1, max: 1 } as const

/** Frames are cut to this size where they can be; nothing above the limit is ever sent or taken. */
export const FRAME_TARGET_BYTES = 1 << 20
/** The receive limit gRPC libraries have by default. */
export const FRAME_LIMIT_BYTES = 4 << 20
/** Room left in a frame for everything but a chunk's data. */
export const FRAME_OVERHEAD_BYTES = 256
/** The smallest limit a client may ask for. */
export const FRAME_LIMIT_MINIMUM_BYTES = 4096

/** The client takes several frames in one message. */
export const PACK_FEATURE = 'pack'

export const modes = ['durable', 'observer'] as const
export type Mode = (typeof modes)[number]
export const profiles = ['transactions', 'receipts'] as const
export type Profile = (typeof profiles)[number]
export const kinds = ['committed', 'reorged', 'reverted'] as const
export type Kind = (typeof kinds)[number]
export const origins = ['live', 'catchUp'] as const
export type Origin = (typeof origins)[number]
export const directiveKinds = ['resync', 'evicted', 'fenced', 'goingAway'] as const
export type DirectiveKind = (typeof directiveKinds)[number]

export type HelloFrame = {
  readonly type: 'hello'
  readonly protocolMin: number
  readonly protocolMax: number
  readonly features: readonly string[]
  readonly consumerId: string
  readonly mode: Mode
  readonly chainId: bigint
  readonly genesisHash: Hash | undefined
  readonly profile: Profile
  readonly maxFrameBytes: number
  readonly locator: readonly BlockRef[]
  readonly start: bigint | undefined
  readonly finalized: BlockRef | undefined
  readonly durable: BlockRef | undefined
}
export type AckFrame = {
  readonly type: 'ack'
  readonly processed: BlockRef | undefined
  readonly durable: BlockRef | undefined
}
export type CreditFrame = { readonly type: 'credit'; readonly bytes: bigint; readonly notifications: number }
export type PongFrame = { readonly type: 'pong'; readonly nonce: bigint }
export type ByeFrame = { readonly type: 'bye'; readonly reason: string }
export type ClientFrame = HelloFrame | AckFrame | CreditFrame | PongFrame | ByeFrame

export type WelcomeFrame = {
  readonly type: 'welcome'
  readonly protocol: number
  readonly features: readonly string[]
  readonly epoch: bigint
  readonly firstSeq: bigint
  readonly ancestor: BlockRef
  readonly head: BlockRef
  readonly finalized: BlockRef | undefined
  readonly safe: BlockRef | undefined
  readonly chainId: bigint
  readonly genesisHash: Hash
  readonly maxFrameBytes: number
  readonly oldestBlock: bigint
  readonly server: string
}
export type BeginFrame = {
  readonly type: 'begin'
  readonly seq: bigint
  readonly kind: Kind
  readonly parent: BlockRef
  readonly undo: readonly BlockRef[]
  readonly blockCount: number
  readonly totalBytes: bigint
  readonly head: BlockRef
  readonly safe: BlockRef | undefined
  readonly finalized: BlockRef | undefined
  readonly nodeTimeMs: number
  readonly sentTimeMs: number
  readonly origin: Origin
}
export type ChunkFrame = {
  readonly type: 'chunk'
  readonly number: bigint
  readonly offset: number
  readonly total: number
  readonly data: Uint8Array
}
export type EndFrame = {
  readonly type: 'end'
  readonly seq: bigint
  readonly blockCount: number
  readonly totalBytes: bigint
  readonly crc32: number
  readonly cursor: BlockRef
}
export type HeartbeatFrame = {
  readonly type: 'heartbeat'
  readonly head: BlockRef
  readonly finalized: BlockRef | undefined
  readonly safe: BlockRef | undefined
  readonly lastSeq: bigint
  readonly ringBlocks: number
  readonly lagBlocks: bigint
  readonly syncing: boolean
  readonly nonce: bigint
  readonly finishedHeight: BlockRef | undefined
  /** Why the node cannot be followed just now. */
  readonly problem: string | undefined
}
export type DirectiveFrame = {
  readonly type: 'directive'
  readonly kind: DirectiveKind
  readonly message: string
}
export type AcknowledgedFrame = {
  readonly type: 'acknowledged'
  readonly durable: BlockRef | undefined
  readonly finishedHeight: BlockRef | undefined
}
export type ErrorFrame = {
  readonly type: 'error'
  readonly code: string
  readonly message: string
  readonly expected: string
  readonly actual: string
}
export type ServerFrame =
  | WelcomeFrame
  | BeginFrame
  | ChunkFrame
  | EndFrame
  | HeartbeatFrame
  | DirectiveFrame
  | AcknowledgedFrame
  | ErrorFrame

/** A service's own description of itself, for tools. */
export type ServerInfo = {
  readonly protocolMin: number
  readonly protocolMax: number
  readonly chainId: bigint
  readonly genesisHash: Hash
  readonly head: BlockRef
  readonly finalized: BlockRef | undefined
  readonly oldestBlock: bigint
  readonly server: string
  readonly finishedHeight: BlockRef | undefined
  readonly profiles: readonly Profile[]
}
export type ConsumerInfo = {
  readonly id: string
  readonly mode: Mode
  readonly connected: boolean
  readonly processed: BlockRef | undefined
  readonly durable: BlockRef | undefined
  readonly lagBlocks: bigint
  readonly evicted: boolean
}
