import { existsSync } from 'node:fs'
import type { Connection, Table } from '@lancedb/lancedb'
import type { Logger } from 'pino'
import type { Embedder } from '../embed/embedder.ts'
import type { EmbedderRecord } from '../embed/openEmbedder.ts'
import { openServingTable, type Serving, type ServingTable } from '../embed/servingTable.ts'
import { tableStatePath } from '../embed/tableState.ts'
import { VectorStoreError } from '../errors.ts'
import { createDocumentVectors, type DocumentVectors } from '../held/documentVectors.ts'
import type { StoredRow } from '../query/describeRow.ts'
import { type TextRows, textColumns } from '../rows/textRows.ts'
import { errorText } from '../store/failure.ts'
import { documentFields, schemaVersion } from '../store/schema.ts'
import { DocumentError } from './documentError.ts'
import { createDocumentNames, type DocumentNames, noNames } from './documentNames.ts'
import { encodeDocument, partText, storedParts } from './encodeDocument.ts'
import { type ReadDocument, readDocument } from './readDocument.ts'
import type { DocumentAdded, DocumentInput, DocumentKind, DocumentSummary } from './types.ts'

/** Parts of all documents together, at most: more are for a search engine. */
const mostParts = 100_000

export type DocumentsOptions = {
  readonly connection: Connection
  readonly directory: string
  readonly chainId: bigint
  readonly readOnly: boolean
  /** Where their texts are looked up; kept as LanceDB has them. */
  readonly texts: TextRows
}

export type AddOptions = {
  /** Runs work while nobody else writes. An embedder is not waited for within: it may take minutes. */
  readonly exclusive: <T>(work: () => Promise<T>) => Promise<T>
  /** Newest block. */
  readonly asOf: () => bigint | undefined
  readonly signal: AbortSignal
}

/** What people added. */
export type Documents = {
  /** For people; undefined while all is well. */
  readonly problem: string | undefined
  /** The names they give, as of now. */
  names(): DocumentNames
  /** Throws `DocumentError`, `EmbedderError`, and `VectorStoreError` `STORE_DAMAGED`, `STORE_MISMATCH`. */
  add(input: DocumentInput, options: AddOptions): Promise<DocumentAdded>
  /** In the order they were added. */
  list(): Promise<readonly DocumentSummary[]>
  /** What was removed; to be called while nobody else writes. Throws `DocumentError` `DOCUMENT_NOT_FOUND`. */
  remove(id: string): Promise<DocumentSummary>
  /** Reads what answers now; undefined when there is none. */
  use<T>(work: (serving: Serving) => Promise<T>): Promise<T | undefined>
  /** Compacts what was written since the last time. Throws what LanceDB throws. */
  optimize(cleanupOlderThan: Date): Promise<void>
  readonly vectors: DocumentVectors
  /** Undefined when the table cannot be used, or was never made. */
  readonly serving: ServingTable | undefined
  close(): void
}

/**
 * Opens the documents of a store, or makes a table for them. Never throws for the table: one that cannot be used is left as it
 * is and `problem` says so.
 * @param embedderOf of the vectors that answer now; undefined where it cannot be had
 */
export async function openDocuments(
  options: DocumentsOptions,
  {
    embedder,
    embedderOf,
    logger,
  }: {
    readonly embedder: EmbedderRecord
    readonly embedderOf: (record: EmbedderRecord) => Embedder | undefined
    readonly logger: Logger
  },
): Promise<Documents> {
  const { connection, directory, chainId, readOnly, texts } = options
  let problem: string | undefined
  let isWritten = false
  const serving = await open()
  let names: { readonly version: number; readonly names: DocumentNames } | undefined

  return {
    problem,
    serving,
    vectors: createDocumentVectors(texts),

    names() {
      if (!serving) return noNames
      const version = texts.documentsVersion()
      if (names?.version !== version) names = { version, names: createDocumentNames(namedParts(texts)) }
      return names.names
    },

    async add(input, { exclusive, asOf, signal }) {
      const read = await readDocument(input)
      const embedded = read.parts.map((part) => partText(read, part))
      for (;;) {
        const found = await required().use(async ({ table, embedder: record }) => {
          const document = await known(table, read)
          return document ?? { record, vectors: await embedderFor(record).embed(embedded, signal) }
        })
        if (!('vectors' in found)) return { document: found, isNew: false }
        const added = await exclusive(() =>
          required().use(async ({ table, embedder: record }): Promise<DocumentAdded | undefined> => {
            const document = await known(table, read)
            if (document) return { document, isNew: false }
            // Another embedder has taken its place meanwhile.
            if (record.id !== found.record.id) return undefined
            const parts = storedParts(read, asOf() ?? -1n)
            await table.add(encodeDocument(parts, found.vectors, record.dimensions))
            texts.add('documents', parts)
            isWritten = true
            return { document: (await summaries(table, read.id))[0]!, isNew: true }
          }),
        )
        if (added) return added
      }
    },

    list: async () => (serving ? await serving.use(({ table }) => summaries(table)) : []),

    async remove(id) {
      return await required().use(async ({ table }) => {
        const found = /^[0-9a-f]{32}$/.test(id) ? (await summaries(table, id))[0] : undefined
        if (!found) {
          throw new DocumentError(
            'DOCUMENT_NOT_FOUND',
            'documents: expected the id of a document as the list gives it (32 hex digits), got one that none has',
          )
        }
        await table.delete(`\`documentId\` = '${id}'`)
        texts.removeDocument(id)
        isWritten = true
        return found
      })
    },

    use: async (work) => (serving ? await serving.use(work) : undefined),
    async optimize(cleanupOlderThan) {
      if (!isWritten) return
      isWritten = false
      await serving?.use(({ table }) => table.optimize({ cleanupOlderThan }))
    },
    close: () => serving?.close(),
  }

  /** A document that is there already. Throws `DOCUMENTS_FULL` where it is not and there is no room for it. */
  async function known(table: Table, { id, parts }: ReadDocument): Promise<DocumentSummary | undefined> {
    const [document] = await summaries(table, id)
    if (!document && (await table.countRows()) + parts.length > mostParts) {
      throw new DocumentError(
        'DOCUMENTS_FULL',
        `documents: expected at most ${mostParts} parts in all, and this one has ${parts.length}: remove some first`,
      )
    }
    return document
  }

  function embedderFor(record: EmbedderRecord): Embedder {
    const chosen = embedderOf(record)
    if (chosen) return chosen
    throw new VectorStoreError(
      'STORE_MISMATCH',
      `documents: their vectors are of ${record.id}, which is not configured: they are being embedded again, add this once they are`,
      { facts: { embedder: record.id } },
    )
  }

  async function open(): Promise<ServingTable | undefined> {
    // Of a folder of before documents, or of one that has none yet: a reader makes nothing.
    if (readOnly && !existsSync(tableStatePath(directory, 'documents'))) return undefined
    try {
      const opened = await openServingTable({
        connection,
        directory,
        name: 'documents',
        embedder,
        fields: documentFields,
        metadata: new Map([
          ['monmouth.schema', schemaVersion],
          ['monmouth.chainId', String(chainId)],
        ]),
        complete,
        readOnly,
      })
      if (!readOnly) await opened.use(({ table }) => copyTexts(table, texts))
      return opened
    } catch (cause) {
      problem = `documents: they cannot be used: ${errorText(cause)}`
      logger.warn({ directory, err: cause }, 'documents cannot be used')
      return undefined
    }
  }

  function required(): ServingTable {
    if (serving) return serving
    throw new VectorStoreError(
      'STORE_DAMAGED',
      `vector store: ${problem ?? 'documents: there is no table of them'}`,
      { facts: { directory } },
    )
  }
}

async function complete(table: Table): Promise<void> {
  const id = (await table.schema()).fields.find(({ name }) => name === 'id')
  if (!id?.metadata.has('lance-schema:unenforced-primary-key:position'))
    await table.setUnenforcedPrimaryKey('id')
}

/** Takes over what LanceDB has of documents that the texts lack, or have more or less of: a write may have been cut short. */
async function copyTexts(table: Table, texts: TextRows): Promise<void> {
  const there = texts.documents()
  const documents = await summaries(table)
  const ids = new Set(documents.map(({ id }) => id))
  for (const id of there.keys()) if (!ids.has(id)) texts.removeDocument(id)
  for (const { id, parts } of documents) {
    if (there.get(id) === parts) continue
    const columns = textColumns.documents.map(({ name }) => name)
    const query = table.query().where(`\`documentId\` = '${id}'`).select(columns).limit(mostParts)
    const rows: StoredRow[] = await query.toArray()
    texts.removeDocument(id)
    texts.add('documents', rows)
  }
}

type SummaryRow = {
  readonly documentId: string
  readonly title: string
  readonly documentKind: string
  readonly contract: string
  readonly parts: bigint
  readonly selector: string
  readonly addedMs: bigint
}

async function summaries(table: Table, id?: string): Promise<readonly DocumentSummary[]> {
  const query = table
    .query()
    .select(['documentId', 'title', 'documentKind', 'contract', 'parts', 'selector', 'addedMs'])
    .limit(mostParts)
  if (id !== undefined) query.where(`\`documentId\` = '${id}'`)
  const rows: SummaryRow[] = await query.toArray()
  return [...Map.groupBy(rows, (row) => row.documentId).values()]
    .map((group): DocumentSummary => {
      const { documentId, title, documentKind, contract, parts, addedMs } = group[0]!
      return {
        id: documentId,
        title,
        kind: documentKind as DocumentKind,
        contract: contract === '' ? undefined : contract,
        parts: Number(parts),
        names: group.filter(({ selector }) => selector !== '').length,
        addedMs: Number(addedMs),
      }
    })
    .sort((a, b) => a.addedMs - b.addedMs || (a.id < b.id ? -1 : 1))
}

function namedParts(texts: TextRows) {
  return texts.newest('documents', ['"part" = 0 OR "selector" <> \'\''], mostParts).map((row) => ({
    documentId: String(row.documentId),
    part: Number(row.part),
    title: String(row.title),
    contract: String(row.contract),
    selector: String(row.selector),
    name: String(row.name),
  }))
}
