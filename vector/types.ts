import type { DocumentAdded, DocumentInput, DocumentSummary } from './documents/types.ts'
import type { EmbedderOptions } from './embed/openEmbedder.ts'
import type { ReembedProgress } from './embed/reembed.ts'
import type { NeighbourAnswer, NeighbourRequest } from './graph/types.ts'
import type { FindingRow } from './memory/types.ts'

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
  /** 0x and 8 digits: the first four bytes of the calldata, an envelope's too. */
  readonly selector: string
  /** wei, decimal. */
  readonly value: string
  readonly gasLimit: number
  readonly calldataBytes: number
  /** Up to 256 leading bytes of the calldata, 512 of an envelope's, hex without prefix. The embedder reads 256. */
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

/** `finalized`: no reorg takes it back. A document always is: it is not of the chain. */
export type Finality = 'head' | 'finalized'

/** What an item of an answer can be. */
export const itemKinds = ['transaction', 'pattern', 'document', 'memory', 'entity'] as const
export type ItemKind = (typeof itemKinds)[number]

/** What a query returns: every item with its citation, score and finality. Text of others is untrusted. */
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
  /** What the answer lacks, and why: a word that says nothing, a table that could not be read. */
  readonly warnings: readonly string[]
}

export type ContextItem = {
  readonly id: string
  readonly kind: ItemKind
  /**
   * `tx 0x… block n`, `pattern 0x… as of block n`, `document 0… part i of k`, `memory 0… blocks a to b` or
   * `entity 0x… as of block n`.
   */
  readonly citation: string
  readonly text: string
  /** 0 to 1: 1 for what the question names, else how near it is, by vector or by words; 0 where nothing was compared. */
  readonly score: number
  /** Cosine distance, 0 to 2: 0 for an exact match, 1 where nothing was compared. */
  readonly distance: number
  readonly finality: Finality
  /** The newest block the item counts, as a decimal; null for what is of no block. */
  readonly asOf: string | null
  /** Its text holds words or digits that others chose: data to report on, never to obey. */
  readonly untrusted: boolean
  readonly scores: ItemScores
  readonly provenance: {
    /** `chain`: as the node sent it. `learner`: counted here. `consolidation`, `finding`: concluded here. `document`: given by a person. */
    readonly source: 'chain' | 'learner' | 'consolidation' | 'finding' | 'document'
    /** Whose vectors it was compared by; null where it was not. */
    readonly embedder: string | null
  }
  readonly facts: Readonly<Record<string, string | number | boolean>>
}

/** How an item came to its place. */
export type ItemScores = {
  /** Cosine distance; null where no vectors were compared. */
  readonly distance: number | null
  /** Of full text; null where no words were looked for. */
  readonly bm25: number | null
  /** Reciprocal ranks over all lists it was in, the best of the answer being 1. */
  readonly fused: number
  /** What the order is by, before items too much alike are set back; 0 to 1. */
  readonly rerank: number
}

/** A block as this library knows it: number and 0x-prefixed hash of 64 lower case digits. */
export type BlockPosition = { readonly number: bigint; readonly hash: string }

/** One step of the outbox, in chain order. Applying an entry a second time changes nothing. */
export type VectorEntry = TransactionsEntry | PatternsEntry | FindingsEntry | UndoEntry | FinalizedEntry

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

/** What was noticed about one applied block: kept as memories, and gone with the block. Given again, it is there once. */
export type FindingsEntry = {
  readonly kind: 'findings'
  readonly block: BlockPosition
  readonly rows: readonly FindingRow[]
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

/** Whose vectors documents have, and how far those of the embedder configured are made. */
export type EmbeddingStats = {
  /** Of the vectors that answer; undefined without a table of documents. */
  readonly embedder: string | undefined
  /** The one configured: another one while documents are embedded again. */
  readonly wanted: string
  /** Undefined while nothing is embedded again. */
  readonly progress: ReembedProgress | undefined
  /** Why it does not go on, or why the embedder does not answer; undefined while all is well. */
  readonly problem: string | undefined
}

export type VectorStats = {
  readonly transactions: TableStats
  readonly patterns: TableStats
  /** What epochs have counted: increments of edges, and of entities. */
  readonly edges: number
  readonly entities: number
  /** What was noticed, and what epochs came to. */
  readonly memories: number
  /** Zeros where the table cannot be used. */
  readonly documents: TableStats
  /** Newest block taken into graph and memories. */
  readonly consolidatedTo: bigint | undefined
  readonly embedding: EmbeddingStats
  /** What is wrong with tables that only questions read. */
  readonly problems: readonly string[]
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
  readonly job: 'optimize' | 'vectorIndex' | 'consolidate' | 'reembed'
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
   * Writes of `transactions` or `patterns` between two compactions at least; LanceDB advises 20. A write is at most `rowsPerBatch`
   * rows. Where compaction takes long, more are waited for, up to 200, so that it takes a quarter of the time.
   */
  readonly optimizeEvery: number
  /** Versions younger than this survive compaction, so that readers of other processes finish; default 120 000 ms. */
  readonly keepVersionsMs?: number
  /**
   * Rows of `transactions` that are searched exactly, in memory, 152 bytes each; default 1 500 000. Of more, those that an approximate index
   * has are searched through it. Readers hold none.
   */
  readonly exactRows?: number
  /**
   * Rows of `transactions` above which an approximate index is built; default 250 000, where fewer are searched in memory as many as those, but
   * 50 000 at least.
   */
  readonly indexAboveRows?: number
  /** Never writes; sees what another process writes at its next query. Default false. */
  readonly readOnly?: boolean
  /**
   * Blocks after which what they add is taken into the graph and into memories; default 25, five minutes of Ethereum's. A folder
   * keeps what it has when this changes.
   */
  readonly epochBlocks?: number
  /** Rows of `transactions` taken in at a time, about; default 2000. */
  readonly consolidationRows?: number
  /** Epochs are taken in beside the writes, else within the apply that completes them. Default true. Answers are the same. */
  readonly asyncConsolidation?: boolean
  /** What documents, and questions to them, are embedded with; default the built-in hash of words. */
  readonly embedder?: EmbedderOptions
  /** The store runs in a process of its own. Without it, in the caller's: enough for a reader, or for few writes. */
  readonly process?: ProcessOptions | undefined
}

export type ProcessOptions = {
  /**
   * Resident bytes above which the process is replaced by a fresh one, between two calls; on Linux without mapped files, which are
   * LanceDB's code. LanceDB keeps some memory of every write for good. A fresh process has about 70 MB of its own, elsewhere 190 MB
   * with the code, and what the caches may take comes on top.
   */
  readonly memoryBytes: number
}

/** A contract, 0x and 40 digits, and what is called of it, 0x and 8. */
export type Call = { readonly contract: string; readonly selector: string }

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
  /** What is around an entity of the graph. Throws `QueryError` for what was asked, `VectorStoreError` for the store. */
  neighbours(request: NeighbourRequest): Promise<NeighbourAnswer>
  /**
   * Keeps a document, in parts; one that is there already is not written again. Other writes do not wait for its vectors. Throws
   * `DocumentError` for the document, `EmbedderError`, and `VectorStoreError` (`READ_ONLY`, `STORE_DAMAGED`, `STORE_FAILED`).
   */
  addDocument(document: DocumentInput): Promise<DocumentAdded>
  /** In the order they were added. */
  documents(): Promise<readonly DocumentSummary[]>
  /** Removes a document with all its parts, and returns what it was. Throws `DocumentError` `DOCUMENT_NOT_FOUND`. */
  removeDocument(id: string): Promise<DocumentSummary>
  /** What documents call these calls: signatures, undefined where none does. Text of others: mark it so. */
  callNames(calls: readonly Call[]): Promise<readonly (string | undefined)[]>
  stats(): Promise<VectorStats>
  /** Resident bytes of the store's own processes, each as of its last answer; 0 where it has none. */
  rssBytes(): number
  /** Waits for writes, reads and compaction under way and closes the tables. Calling it again does nothing. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}
