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
  /** 0 to 1: 1 for an exact match, else the cosine similarity, 0 where that is negative or nothing was compared. */
  readonly score: number
  /** Cosine distance, 0 to 2: 0 for an exact match, 1 where nothing was compared. */
  readonly distance: number
  readonly finality: Finality
  readonly facts: Readonly<Record<string, string | number | boolean>>
}

/** A block as this library knows it: number and 0x-prefixed hash of 64 lower case digits. */
export type BlockPosition = { readonly number: bigint; readonly hash: string }

/** One step of the outbox, in chain order. Applying an entry a second time changes nothing. */
export type VectorEntry = TransactionsEntry | PatternsEntry | UndoEntry | FinalizedEntry

/** The kept transactions of one applied block; `rows` may be empty and then only moves `asOf`. */
export type TransactionsEntry = {
  readonly kind: 'transactions'
  readonly block: BlockPosition
  readonly rows: readonly TransactionRow[]
}

/** What changed in `patterns` at a boundary block. */
export type PatternsEntry = {
  readonly kind: 'patterns'
  readonly boundary: bigint
  readonly upsert: readonly PatternProfile[]
  readonly remove: readonly string[]
}

/** Blocks that left the canonical chain, and `patterns` put back to what they were before those blocks. */
export type UndoEntry = {
  readonly kind: 'undo'
  readonly blocks: readonly BlockPosition[]
  readonly patterns?: {
    readonly boundary: bigint
    readonly upsert: readonly PatternProfile[]
    readonly remove: readonly string[]
  }
}

/** The finalized height rose: rows of blocks up to `number` are final. A lower number than before is ignored. */
export type FinalizedEntry = { readonly kind: 'finalized'; readonly number: bigint }

export type SearchRequest = {
  /** At most 8 kB of text; what it can say is described at `parseQuery`. */
  readonly query: string
  /** Items at most, 1 to 1000. */
  readonly limit: number
  /** A condition in SQL, at most 2 kB; the language is described at `parseFilter`. */
  readonly filter?: string | undefined
  /** Token budget of all items together, counted as characters / 3. */
  readonly tokens: number
  /** Only rows written by blocks up to this number. */
  readonly asOf?: bigint | undefined
}

export type TableStats = {
  readonly rows: number
  readonly versions: number
  readonly bytes: number
}

export type VectorStats = {
  readonly transactions: TableStats
  readonly patterns: TableStats
  /** Files of the whole store. */
  readonly bytesOnDisk: number
  readonly asOf: BlockPosition | undefined
  readonly finalized: bigint | undefined
  /** True once `transactions` is searched through its approximate index. */
  readonly vectorIndex: boolean
  readonly lastOptimize: MaintenanceEvent | undefined
}

/** What a background job did. A failed one is retried at its next turn and disturbs nothing else. */
export type MaintenanceEvent = {
  readonly job: 'optimize' | 'vectorIndex'
  readonly ok: boolean
  readonly error: string | undefined
  readonly seconds: number
  /** Unix milliseconds at its end. */
  readonly atMs: number
}

export type VectorStoreOptions = {
  /** Folder of the tables; made when missing, unless `readOnly`. */
  readonly directory: string
  readonly chainId: bigint
  /** Rows of one LanceDB write at most; default 4000. Larger applies are split. */
  readonly rowsPerBatch?: number
  /** Bytes LanceDB may use to cache indices, and file metadata. */
  readonly indexCacheBytes: number
  readonly metadataCacheBytes: number
  /**
   * Writes of `transactions` or `patterns` between two compactions; LanceDB advises 20. A write is at most `rowsPerBatch` rows. Large
   * tables wait for more writes, up to 500, as a compaction rewrites them.
   */
  readonly optimizeEvery: number
  /** Versions younger than this survive compaction, so that readers of other processes finish; default 120 000 ms. */
  readonly keepVersionsMs?: number
  /** Rows of `transactions` above which an approximate index is built; default 50 000. Below, search is exact. */
  readonly indexAboveRows?: number
  /** Never writes; sees what another process writes at its next query. Default false. */
  readonly readOnly?: boolean
  /** The store runs in a process of its own. Without it, in the caller's: enough for a reader, or for few writes. */
  readonly process?: ProcessOptions | undefined
}

export type ProcessOptions = {
  /**
   * Resident bytes above which the process is replaced by a fresh one, between two calls. LanceDB keeps some memory of every
   * write for good. A fresh process has about 180 MB, and what the caches may take comes on top.
   */
  readonly memoryBytes: number
}

/** The store's tables, opened. One writing process at a time; any number of `readOnly` ones. */
export interface VectorStore {
  /**
   * Applies entries in order; resolves once all are on disk. Killed in between, the same entries applied again end in
   * the same state. A block that is not above the newest takes the store back to before it: what followed it comes again.
   * Calls are queued. Throws `VectorStoreError` (`INVALID_ENTRY`, `READ_ONLY`, `STORE_FAILED`, `CLOSED`).
   */
  apply(entries: readonly VectorEntry[]): Promise<void>
  /**
   * Every row of `patterns`, sorted by id, numbers bit for bit as written. The caller sees to it that exactly the
   * entries up to `boundary` are applied. Throws `VectorStoreError` `PATTERNS_AHEAD` when a row is of a later boundary.
   */
  patternsAt(boundary: bigint): Promise<readonly PatternProfile[]>
  /** Answers a question of a person. Throws `QueryError` and `FilterError` for what was asked, `VectorStoreError` for the store. */
  search(request: SearchRequest): Promise<ContextAnswer>
  stats(): Promise<VectorStats>
  /** Resident bytes of the store's own process, as of its last answer; 0 where it has none. */
  rssBytes(): number
  /** Waits for writes, reads and compaction under way and closes the tables. Calling it again does nothing. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}
