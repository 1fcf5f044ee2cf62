import type { Connection } from '@lancedb/lancedb'
import type { Logger } from 'pino'
import { type Documents, openDocuments } from '../documents/openDocuments.ts'
import type { Embedder } from '../embed/embedder.ts'
import { type EmbedderRecord, openEmbedder, reopenEmbedder } from '../embed/openEmbedder.ts'
import type { RowIndex } from '../rows/rowIndex.ts'
import type { VectorStoreSettings } from '../settings.ts'

/** What only people's questions need, opened. */
export type SideParts = {
  readonly documents: Documents
  /** The one configured. */
  readonly embedder: Embedder
  /** The one that vectors are of: the configured one, or an older one that can still be had. */
  readonly embedderOf: (record: EmbedderRecord) => Embedder | undefined
}

/**
 * Opens documents and the embedder. What cannot be used is done without, and said; only a configuration that
 * cannot be right is refused. Throws `EmbedderError` `INVALID_OPTIONS`.
 */
export async function openParts(
  settings: VectorStoreSettings,
  connection: Connection,
  { rows }: { readonly rows: RowIndex },
  { logger }: { readonly logger: Logger },
): Promise<SideParts> {
  const embedder = openEmbedder(settings.embedder, { logger })
  const reopened = new Map<string, Embedder | undefined>([[embedder.id, embedder]])
  const embedderOf = (record: EmbedderRecord) => {
    if (!reopened.has(record.id))
      reopened.set(record.id, reopenEmbedder(record, settings.embedder, { logger }))
    return reopened.get(record.id)
  }
  const record = { id: embedder.id, dimensions: embedder.dimensions }
  const documents = await openDocuments(
    { ...settings, connection, texts: rows.texts },
    { embedder: record, embedderOf, logger },
  )
  return { documents, embedder, embedderOf }
}
