import type { Connection, Table } from '@lancedb/lancedb'
import type { Logger } from 'pino'
import { type Documents, openDocuments } from '../documents/openDocuments.ts'
import type { Embedder } from '../embed/embedder.ts'
import { type EmbedderRecord, openEmbedder, reopenEmbedder } from '../embed/openEmbedder.ts'
import type { RowIndex } from '../rows/rowIndex.ts'
import type { VectorStoreSettings } from '../settings.ts'
import { type Consolidation, createConsolidation } from './consolidation.ts'
import { openSideTables, type SideHandles } from './sideTables.ts'

/** What only people's questions need, opened. */
export type SideParts = {
  readonly sides: SideHandles
  readonly documents: Documents
  /** The one configured. */
  readonly embedder: Embedder
  /** The one that vectors are of: the configured one, or an older one that can still be had. */
  readonly embedderOf: (record: EmbedderRecord) => Embedder | undefined
  readonly consolidation: Consolidation
}

/**
 * Opens side tables, documents and the embedder. What cannot be used is done without, and said; only a configuration that
 * cannot be right is refused. Throws `EmbedderError` `INVALID_OPTIONS`.
 */
export async function openParts(
  settings: VectorStoreSettings,
  connection: Connection,
  {
    transactions,
    rows,
    isUsed,
  }: { readonly transactions: Table; readonly rows: RowIndex; readonly isUsed: boolean },
  { logger }: { readonly logger: Logger },
): Promise<SideParts> {
  const embedder = openEmbedder(settings.embedder, { logger })
  const reopened = new Map<string, Embedder | undefined>([[embedder.id, embedder]])
  const embedderOf = (record: EmbedderRecord) => {
    if (!reopened.has(record.id))
      reopened.set(record.id, reopenEmbedder(record, settings.embedder, { logger }))
    return reopened.get(record.id)
  }
  const sides = await openSideTables(connection, { ...settings, isUsed }, { logger })
  const record = { id: embedder.id, dimensions: embedder.dimensions }
  const documents = await openDocuments({ ...settings, connection }, { embedder: record, embedderOf, logger })
  const { chainId, epochBlocks, consolidationRows } = settings
  const options = { chainId, epochBlocks, batchRows: consolidationRows }
  const consolidation = await createConsolidation(
    { transactions, graph: rows.graph, memories: sides.tables.memories },
    options,
  )
  return { sides, documents, embedder, embedderOf, consolidation }
}
