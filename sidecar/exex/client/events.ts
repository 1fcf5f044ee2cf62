import type { Hash } from 'viem'
import type { BlockRef, Notification } from '../../notification/types.ts'
import type { DirectiveKind } from '../frames.ts'

/**
 * A session began. Unwind to `ancestor`, whatever was received above it; the blocks after it follow. `ancestor` is
 * undefined from a source that cannot resume (the official service): then nothing is undone.
 */
export type WelcomeEvent = {
  readonly type: 'welcome'
  readonly epoch: string
  readonly ancestor: BlockRef | undefined
  readonly head: BlockRef | undefined
  readonly safe: BlockRef | undefined
  readonly finalized: BlockRef | undefined
  readonly chainId: bigint | undefined
  readonly genesisHash: Hash | undefined
  readonly oldestBlock: bigint | undefined
  /** Name and version, for logs. */
  readonly server: string
}
export type NotificationEvent = { readonly type: 'notification'; readonly notification: Notification }
/** The node's heads, when nothing else told them. */
export type HeadsEvent = {
  readonly type: 'heads'
  readonly head: BlockRef
  readonly safe: BlockRef | undefined
  readonly finalized: BlockRef | undefined
  /** The node itself is behind its network. */
  readonly syncing: boolean
  /** Why the server cannot follow the node just now. */
  readonly problem: string | undefined
}
/** The server took an acknowledgement: what it holds for this consumer, and what the node was told. */
export type AcknowledgedEvent = {
  readonly type: 'acknowledged'
  readonly durable: BlockRef | undefined
  readonly finishedHeight: BlockRef | undefined
}
export type DirectiveEvent = {
  readonly type: 'directive'
  readonly kind: DirectiveKind
  readonly message: string
}

export type ExExEvent = WelcomeEvent | NotificationEvent | HeadsEvent | AcknowledgedEvent | DirectiveEvent
