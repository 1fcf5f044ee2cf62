import type { BlockPosition } from '../devnet/runTraffic.ts'
import type { Instance } from '../instance/types.ts'

export type NodeKind = 'anvil' | 'reth' | 'geth'

/** A node of a topology, and the hand that moves its chain: blocks are made when told, and by nobody else. */
export type ChainNode = Instance & {
  readonly rpcUrl: string
  readonly chainId: number
  /** `host:port` of an `exex.v1` server that is part of it. */
  readonly streamAddress?: string
  /** No fork is deeper than this. */
  readonly finalityDepth: number
  /** What the node says. */
  head(): Promise<BlockPosition>
  /** The newest final block, as the node says; undefined while there is none. */
  finalized(): Promise<BlockPosition | undefined>
  /** A block of what the pool holds. Resolves with when it was made the head: Unix milliseconds as the node was asked to. */
  mine(): Promise<number>
  /** One block in the place of the last `depth`: the chain is shorter by `depth` - 1. */
  fork(depth: number): Promise<void>
  /** After a start: gives it back what a node that was away would be given by others. */
  recover(): Promise<void>
}
