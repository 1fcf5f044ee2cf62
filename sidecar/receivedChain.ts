import { type Chain, canonicalAt } from './notification/chain.ts'
import type { ChainStep } from './notification/chainSteps.ts'
import type { BlockRef } from './notification/types.ts'

/** The chain as received: it runs ahead of what is applied, by as much as the credit allows. */
export type ReceivedChain = {
  readonly chain: () => Chain
  /** A step was queued. */
  received(step: Pick<ChainStep, 'chain' | 'undo'>): void
  /** The oldest queued step was applied. */
  processed(): void
  /**
   * May the server be told of this applied block? Not of one that is about to be taken back: a session that began after
   * the undo was received never sent it.
   */
  holds(block: BlockRef): boolean
}

export function createReceivedChain(initial: Chain): ReceivedChain {
  let chain = initial
  let receivedSteps = 0
  let processedSteps = 0
  /** Undo on its way between the two: of which step, and the lowest block it takes back. Nearly always empty. */
  let undoing: readonly { readonly step: number; readonly lowest: bigint }[] = []
  return {
    chain: () => chain,
    received(step) {
      receivedSteps++
      chain = step.chain
      const lowest = step.undo.at(-1)
      if (lowest) undoing = [...undoing, { step: receivedSteps, lowest: lowest.number }]
    },
    processed() {
      processedSteps++
      if (undoing.length > 0) undoing = undoing.filter(({ step }) => step > processedSteps)
    },
    holds(block) {
      const ours = canonicalAt(chain, block.number)
      // The window is what can be undone from the received tip: an applied block may lie below it and yet be undone by
      // what is queued.
      return ours ? ours.hash === block.hash : undoing.every(({ lowest }) => lowest > block.number)
    },
  }
}
