import type { SimulatedChain } from './createSimulatedChain.ts'

/** Block numbers between which the final block must be; undefined: there may be none, there must be none. */
export type FinalityBounds = { readonly atLeast: bigint | undefined; readonly atMost: bigint | undefined }

/**
 * What a sidecar at rest on the node's head may call final: what the node names; before that, the block `depth` below
 * the tip stands in. It never moves back, so it may be of the highest tip there ever was; a sidecar that was away then
 * never saw that one. The bounds meet wherever the node named a block since, and on a chain that only grew.
 * @param highest number of the highest head there ever was
 */
export function finalityBounds(node: SimulatedChain, highest: bigint, depth: number): FinalityBounds {
  const standIn = highest - BigInt(depth)
  const named = node.finalized?.number
  const bySelf = standIn >= 0n ? standIn : undefined
  return {
    atLeast: named ?? (node.head.number === highest ? bySelf : undefined),
    atMost: named !== undefined && (bySelf === undefined || named > bySelf) ? named : bySelf,
  }
}
