export { embedPattern } from './embed/embedPattern.ts'
export { embedTransaction } from './embed/embedTransaction.ts'
export { dimensions, embedderId } from './embed/featureVector.ts'
export { FilterError, QueryError, type VectorStoreCode, VectorStoreError } from './errors.ts'
export { openVectorStore, type VectorStoreDependencies } from './openVectorStore.ts'
export type {
  BlockPosition,
  ContextAnswer,
  ContextItem,
  Finality,
  FinalizedEntry,
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
