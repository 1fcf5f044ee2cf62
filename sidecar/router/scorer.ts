import type { Block } from '../notification/types.ts'
import type { BlockFeatures } from './blockFeatures.ts'
import type { BlockPatterns } from './blockPatterns.ts'
import type { NeighbourCache } from './neighbourCache.ts'
import type { PatternTable } from './patternTable.ts'

/** Everything a scorer may look at: nothing of a block's own outcome, no clock, no chance. */
export type ScorerInput = {
  readonly block: Block
  readonly number: number
  /** How full the parents were, 0 to 1. */
  readonly congestion: number
  readonly features: BlockFeatures
  readonly patterns: BlockPatterns
  readonly table: PatternTable
  readonly neighbours: NeighbourCache
}

/** Where a scorer writes, a row of each column for every transaction. */
export type Scores = {
  /** Part by part, `count` rows each: 0 to 255 for 0 to 1. */
  parts: Uint8Array
  /** 0 to 1. */
  score: Float64Array
  /** What the score's main claim lies between. */
  lower: Float64Array
  upper: Float64Array
  /** Decayed outcomes behind it. */
  evidence: Float64Array
}

/** The door between knowing and choosing: a scorer judges every transaction of a block, the policy decides. */
export interface Scorer {
  readonly name: 'pattern' | 'seed'
  /** Raised by any change that can change a decision. */
  readonly version: number
  /** Names of the parts, in the order of their columns. */
  readonly parts: readonly string[]
  readonly runAbove: number
  readonly skipBelow: number
  /** The part whose low value alone refuses an envelope, if any. */
  readonly safetyPart: number | undefined
  score(input: ScorerInput, into: Scores): void
}

/** A part (0 to 1) as it is stored. */
export function quantised(part: number): number {
  return part >= 1 ? 255 : part <= 0 ? 0 : (part * 255 + 0.5) | 0
}
