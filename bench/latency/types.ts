import type { LatencyWatch } from '#harness'

/** What is measured. */
export type LatencyCase = {
  /** Asked for; `carried` is what came of it. */
  readonly blocksPerSecond: number
  /** In each block. */
  readonly transactions: number
  readonly sidecars: number
  readonly seconds: number
  /** On the link, each way. */
  readonly linkDelayMs: number
}

export type LatencyResult = LatencyCase & {
  readonly source: 'feed' | 'anvil' | 'reth'
  readonly blocks: number
  /** Blocks a second from the first commit to the last acknowledgement. */
  readonly carried: number
  readonly watches: readonly LatencyWatch[]
  /**
   * Milliseconds from when a block was both final and durable at every sidecar until the node was told that height; where the node
   * can be asked.
   */
  readonly heights?: readonly number[]
}
