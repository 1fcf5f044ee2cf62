import type { Block } from '../notification/types.ts'
import type { BlockFeatures } from './blockFeatures.ts'
import type { BlockPatterns } from './blockPatterns.ts'
import type { NeighbourCache } from './neighbourCache.ts'
import type { PatternTable } from './patternTable.ts'
import type { EnvelopeFacts } from './types.ts'

/** The order is the stored code. */
export const scorerNames = ['pattern', 'seed', 'enhanced'] as const

/** Everything a scorer may look at: nothing of a block's own outcome, no clock, no chance. */
export type ScorerInput = {
  readonly block: Block
  readonly number: number
  readonly envelopes: ReadonlyMap<number, EnvelopeFacts>
  /** How full the parents were, 0 to 1. */
  readonly congestion: number
  readonly features: BlockFeatures
  readonly patterns: BlockPatterns
  readonly table: PatternTable
  readonly neighbours: NeighbourCache
}

/** Where a scorer writes, a row of each column for every transaction. */
export type Scores = {
  /** The chance of success of each of the block's patterns; no rows where the scorer has none. */
  rates: Float32Array
  /** Part by part, `count` rows each: 0 to 255 for 0 to 1. */
  parts: Uint8Array
  /** 0 to 1. */
  score: Float64Array
  /** What the score's main claim lies between. */
  lower: Float64Array
  upper: Float64Array
  /** Where cost is weighed: the score above which an envelope is worth running. */
  needed: Float64Array
  /** Decayed outcomes behind it. */
  evidence: Float64Array
  /** The blob's section of judgements (see judgements.ts); empty before scoring, and where none is made. */
  judgements: Uint8Array
}

/** The door between knowing and choosing: a scorer judges every transaction of a block, the policy decides. */
export interface Scorer {
  readonly name: (typeof scorerNames)[number]
  /** Raised by any change that can change a decision. */
  readonly version: number
  /** Names of the parts, in the order of their columns. */
  readonly parts: readonly string[]
  /** Does it fill `rates`? Then they stand for its part `success`. */
  readonly hasRates: boolean
  readonly runAbove: number
  readonly skipBelow: number
  /** Does it fill `needed` for envelopes? Then that decides about them, not `runAbove` alone. */
  readonly weighsCost: boolean
  /** The part whose low value alone refuses an envelope, if any. */
  readonly safetyPart: number | undefined
  score(input: ScorerInput, into: Scores): void
}

/** A part (0 to 1) as it is stored. */
export function quantised(part: number): number {
  return part >= 1 ? 255 : part <= 0 ? 0 : (part * 255 + 0.5) | 0
}
