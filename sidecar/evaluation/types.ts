import type { Block } from '../notification/types.ts'
import type { EnvelopeFacts, ItemOutcome } from '../router/types.ts'

/** What became of one transaction, for scoring alone: no predictor sees it before its block was predicted. */
export type Label = {
  readonly row: number
  readonly succeeded: boolean
  /** Gas on the EVM, compute units on the SVM. */
  readonly units: number
  /** The generator's own probability of success before it ran; undefined for recorded blocks. */
  readonly truth: number | undefined
  /** What kind of traffic it is, where that is known. */
  readonly group: string | undefined
}

/** A block, and what is known of its outcomes. */
export type LabelledBlock = {
  readonly block: Block
  /** By transaction index; none on recorded blocks. */
  readonly envelopes: ReadonlyMap<number, EnvelopeFacts>
  /** What the VM made of every envelope, whether a router would have run it or not. */
  readonly outcomes: readonly ItemOutcome[]
  /** At most one a row, ascending; rows without one are predicted and learnt as seen, and not scored. */
  readonly labels: readonly Label[]
}

/** Where blocks come from: whose success is predicted. */
export type InputKind = 'recorded' | 'generated'

/** Blocks to evaluate on, in chain order. */
export type EvaluationInput = {
  readonly kind: InputKind
  readonly name: string
  readonly blocks: AsyncIterable<LabelledBlock>
}
