/** A transaction as the vector store keeps it. Hex strings are lower case with `0x`. */
export type TransactionRow = {
  /** First 32 hex digits of sha256(chainId ‖ blockHash ‖ index): unique across forks, and the primary key. */
  readonly id: string
  readonly chainId: bigint
  readonly blockNumber: bigint
  readonly blockHash: string
  readonly timestamp: bigint
  readonly transactionHash: string
  readonly transactionIndex: number
  readonly from: string
  /** Empty for a contract creation. */
  readonly to: string
  /** 0x and 8 digits; for an SVM envelope the pattern's discriminator. */
  readonly selector: string
  /** wei, decimal. */
  readonly value: string
  readonly gasLimit: number
  readonly calldataBytes: number
  /** Up to 256 leading bytes of the calldata, hex without prefix: what the embedder reads. */
  readonly calldataHead: string
  readonly type: number
  readonly svm: boolean
  readonly route: string
  readonly confidence: number
  /** `succeeded`, `failed`, `unknown` on the EVM; for envelopes `executed`, `failed`, `rejected`, `deposited`. */
  readonly outcome: string
  readonly reason: string
  readonly modelVersion: string
  readonly origin: string
}

/** A pattern's profile; the router's `PatternRow`, by structure. */
export type PatternProfile = {
  readonly id: string
  readonly svm: boolean
  readonly boundary: bigint
  readonly evmSucceeded: number
  readonly evmFailed: number
  readonly svmExecuted: number
  readonly svmFailed: number
  readonly computeUnits: number
  readonly gasLimit: number
  readonly calldataBytes: number
  readonly valueLog2: number
}

export type Finality = 'head' | 'finalized'

/** What a query returns: every item with its citation, score and finality. Text from the chain is untrusted. */
export type ContextAnswer = {
  readonly query: string
  readonly asOf: { readonly number: string; readonly hash: string } | undefined
  readonly items: readonly ContextItem[]
  readonly budget: {
    readonly tokens: number
    readonly used: number
    readonly method: string
    readonly dropped: number
  }
  readonly warnings: readonly string[]
}

export type ContextItem = {
  readonly id: string
  readonly kind: 'transaction' | 'pattern'
  /** `tx 0x… block n` or `pattern 0x… as of block n`. */
  readonly citation: string
  readonly text: string
  readonly score: number
  readonly distance: number
  readonly finality: Finality
  readonly facts: Readonly<Record<string, string | number | boolean>>
}
