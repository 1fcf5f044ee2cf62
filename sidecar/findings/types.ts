import type { Address, Hash } from 'viem'

// What is noticed about a block once it is there: for people and for later context. Never an input of a decision: a
// finding is known only after the outcome of what it is about. Chain text is untrusted, so a finding holds nothing of it
// but numbers and hex that was written here from bytes; and a log is what a contract says, which may be untrue.

/** What there are findings of. */
export const findingKinds = [
  'sandwich-like',
  'arbitrage',
  'liquidation',
  'spam',
  'failure-storm',
  'address-poisoning',
] as const
export type FindingKind = (typeof findingKinds)[number]

/** How much it matters, from the risk: see `impactOf`. */
export const impactLevels = ['low', 'medium', 'high', 'critical'] as const
export type Impact = (typeof impactLevels)[number]

/** What somebody may do about it. */
export const actionTypes = [
  'alertStakeholders',
  'scaleResources',
  'optimizeParameters',
  'blockSuspiciousActivity',
  'updateConfiguration',
] as const
export type Recommendation = { readonly action: (typeof actionTypes)[number]; readonly text: string }

/** A transaction of the block: its place and its hash. */
export type TransactionRef = { readonly index: number; readonly hash: Hash }

/** Units of a token, or wei: decimal digits, since it is up to 256 bits wide. */
export type Amount = string

/** A swap as its pool's log and the token transfers around it tell it. Tokens are null where no transfer fits. */
export type SwapEvidence = {
  /** The transaction's place in the block. */
  readonly index: number
  readonly tokenIn: Address | null
  readonly tokenOut: Address | null
  readonly amountIn: Amount
  readonly amountOut: Amount
}

export type SwapProtocol =
  | 'uniswap-v2'
  | 'uniswap-v3'
  | 'pancake-v3'
  | 'uniswap-v4'
  | 'curve'
  | 'balancer-v1'
  | 'balancer-v2'

export type LiquidationProtocol = 'aave-v1' | 'aave' | 'compound-v2' | 'compound-v3' | 'morpho'

/** What happened in one pool of a sandwich. */
export type SandwichPart = {
  /** The pool's address, or its 32-byte id where one contract holds many pools. */
  readonly pool: Hash | Address
  readonly protocol: SwapProtocol
  readonly front: SwapEvidence
  readonly back: SwapEvidence
  /** The first of them. */
  readonly victims: readonly SwapEvidence[]
  /** What the back brought above what the front cost, in the front's token; negative: a loss. */
  readonly gain: Amount
  /**
   * How much less the first victim got than from the pool as it was before the front, in hundredths of a percent of that,
   * by the constant product with a fee of 0.3 %; null where the reserves are not known.
   */
  readonly victimLossBps: number | null
}

export type SandwichEvidence = {
  /** What says that both ends are of one party: who signed them, or the account that got the one and paid the other. */
  readonly link: 'signer' | 'account'
  readonly party: Address
  /** Places in the block. */
  readonly front: number
  readonly back: number
  readonly victims: readonly number[]
  /** By pool, the first of them. */
  readonly parts: readonly SandwichPart[]
}

export type ArbitrageEvidence = {
  readonly account: Address
  readonly token: Address
  readonly amountIn: Amount
  readonly amountOut: Amount
  /** Before gas and what was paid to the block's builder. */
  readonly gain: Amount
  readonly legs: readonly (SwapEvidence & {
    readonly pool: Hash | Address
    readonly protocol: SwapProtocol
  })[]
}

export type LiquidationEvidence = {
  readonly protocol: LiquidationProtocol
  /** The contract that said so. */
  readonly market: Address
  readonly liquidator: Address
  readonly borrower: Address
  /** Null where the log names no token; `debt` is then in what the market counts. */
  readonly debtToken: Address | null
  readonly debt: Amount
  readonly collateralToken: Address | null
  readonly collateral: Amount
}

export type SpamEvidence = {
  /** `repeat`: the same call again and again; `spray`: the same dust to many accounts. */
  readonly form: 'repeat' | 'spray'
  readonly sender: Address
  /** Null for a spray. */
  readonly to: Address | null
  readonly selector: `0x${string}`
  /** wei. */
  readonly value: Amount
  readonly inputBytes: number
  readonly inBlock: number
  readonly inWindow: number
  /** Blocks looked back on, this one included. */
  readonly windowBlocks: number
}

export type FailureStormEvidence = {
  readonly to: Address
  readonly selector: `0x${string}`
  readonly failed: number
  readonly calls: number
  /** Failures over the burst, this block included, and what the decayed rate before it leads to expect. */
  readonly inBurst: number
  readonly expected: number
  readonly burstBlocks: number
}

/** One address made to be mistaken for another. */
export type PoisoningCase = {
  /**
   * `zero-value`: a transfer of nothing; `dust`: next to nothing, from the lookalike; `forged`: a transfer in the victim's
   * name that it did not sign; `paid`: the victim itself paid the lookalike.
   */
  readonly form: 'zero-value' | 'dust' | 'forged' | 'paid'
  readonly victim: Address
  readonly lookalike: Address
  /** Whom the victim really paid, and in which block. */
  readonly counterparty: Address
  readonly counterpartyBlock: number
  /** Null: the chain's own currency. */
  readonly asset: Address | null
  readonly amount: Amount
}

export type PoisoningEvidence = {
  /** How many transfers of the transaction are such, and the first of them. */
  readonly count: number
  readonly cases: readonly PoisoningCase[]
}

export type Evidence = {
  readonly 'sandwich-like': SandwichEvidence
  readonly arbitrage: ArbitrageEvidence
  readonly liquidation: LiquidationEvidence
  readonly spam: SpamEvidence
  readonly 'failure-storm': FailureStormEvidence
  readonly 'address-poisoning': PoisoningEvidence
}

/** What is the same whatever was found. Plain JSON. */
type Common = {
  /** The rule that found it; a rule that finds otherwise has another version. */
  readonly rule: { readonly name: string; readonly version: number }
  readonly impact: Impact
  /** 0 to 100. */
  readonly risk: number
  /** One sentence, of fixed words, numbers and hex. */
  readonly summary: string
  readonly recommendation: Recommendation
  /** Those concerned, ascending; of many the first ones. */
  readonly transactions: readonly TransactionRef[]
}

/** One thing noticed in one block. */
export type Finding = {
  readonly [K in FindingKind]: Common & { readonly kind: K; readonly evidence: Evidence[K] }
}[FindingKind]
