import type { Instruction } from './encodeTransaction.ts'
import type { SolanaKey } from './keys.ts'

/** What others do between two blocks, unseen by any router: it decides what the next block finds. */
export type WorldAction =
  | { readonly depositTo: Uint8Array; readonly lamports: bigint }
  | { readonly signers: readonly SolanaKey[]; readonly instructions: readonly Instruction[] }

/** An envelope as its sender makes it, and what will become of it. */
export type PlannedEnvelope = {
  /** 20 bytes: the Ethereum account that sends it. */
  readonly sender: Uint8Array
  readonly signers: readonly SolanaKey[]
  readonly instructions: readonly Instruction[]
  /** Probability of success given all that is settled before the block's own chances are drawn. */
  readonly truth: number
  /** What the chances drawn make of it. The VM is not told; it has to come to the same. */
  readonly succeeds: boolean
  /** Which kind of traffic it is. */
  readonly kind: TrafficKind
}

/** Orders go by what they are to: established services, drainers, honest newcomers, copycats. */
export const trafficKinds = [
  'payment',
  'order',
  'drainer',
  'newcomer',
  'copycat',
  'claim',
  'spam',
  'opening',
] as const
export type TrafficKind = (typeof trafficKinds)[number]

/** One block of traffic, and the world's actions before it. */
export type BlockPlan = {
  readonly actions: readonly WorldAction[]
  readonly envelopes: readonly PlannedEnvelope[]
  /** How full the block is, 0 to 1. */
  readonly congestion: number
}
