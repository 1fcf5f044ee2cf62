export { createCachedStore } from './cache/createCachedStore.ts'
export type {
  AnswerSource,
  CachedStore,
  CacheOptions,
  CacheStats,
  OptimizedExecutionResult,
  WarmResult,
} from './cache/types.ts'
export { DocumentError, isDocumentCode } from './documents/documentError.ts'
export { documentBytes } from './documents/readDocument.ts'
export {
  type DocumentAdded,
  type DocumentInput,
  type DocumentKind,
  type DocumentSummary,
  documentKinds,
} from './documents/types.ts'
export { EmbedderError } from './embed/embedderError.ts'
export { embedPattern } from './embed/embedPattern.ts'
export { embedTransaction } from './embed/embedTransaction.ts'
export { dimensions, embedderId } from './embed/featureVector.ts'
export type { EmbedderOptions } from './embed/openEmbedder.ts'
export { FilterError, QueryError, type VectorStoreCode, VectorStoreError } from './errors.ts'
export {
  type EdgeKind,
  type EntityKind,
  edgeKinds,
  entityKinds,
  type GraphEdge,
  type GraphNode,
  type NeighbourAnswer,
  type NeighbourRequest,
} from './graph/types.ts'
export type { FindingRow } from './memory/types.ts'
export { openVectorStore, type VectorStoreDependencies } from './openVectorStore.ts'
export type {
  BlockPosition,
  Call,
  ContextAnswer,
  ContextItem,
  EmbeddingStats,
  Finality,
  FinalizedEntry,
  FindingsEntry,
  ItemKind,
  ItemScores,
  MaintenanceEvent,
  PatternProfile,
  PatternsEntry,
  SearchRequest,
  TableStats,
  TransactionRow,
  TransactionsEntry,
  UndoEntry,
  VectorEntry,
  VectorStats,
  VectorStore,
  VectorStoreOptions,
} from './types.ts'
