import { createHash } from 'node:crypto'
import { Field, FixedSizeList, Float32, Schema, type Table } from 'apache-arrow'
import type { StoredRow } from '../query/describeRow.ts'
import { arrowTable } from '../store/arrowTable.ts'
import { documentFields } from '../store/schema.ts'
import { searchText } from '../text/searchWords.ts'
import type { ReadDocument } from './readDocument.ts'
import type { DocumentPart } from './types.ts'

/** What of a part is embedded and shown: the title tells what the part alone does not. */
export function partText({ title }: ReadDocument, { text }: DocumentPart): string {
  return `${title}\n${text}`
}

/**
 * The parts of a document as their columns hold them, whole numbers as bigint; without vectors.
 * @param addedAt the newest block now, -1 before the first
 */
export function storedParts(document: ReadDocument, addedAt: bigint): readonly StoredRow[] {
  const { id, title, kind, contract, parts } = document
  const addedMs = BigInt(Date.now())
  return parts.map((part, index) => ({
    id: createHash('sha256').update(`${id} ${index}`).digest('hex').slice(0, 32),
    documentId: id,
    part: BigInt(index),
    parts: BigInt(parts.length),
    title,
    documentKind: kind,
    contract,
    selector: part.selector ?? '',
    name: part.name ?? '',
    text: partText(document, part),
    // The address only once: whoever asks for it wants the document, not all of its parts.
    words: searchText(`${title} ${index === 0 ? contract : ''} ${part.text}`),
    addedMs,
    addedAt,
  }))
}

/** The batch LanceDB is given for a document, a row for each part. */
export function encodeDocument(
  parts: readonly StoredRow[],
  vectors: readonly Float32Array[],
  dimensions: number,
): Table {
  const item = new Field('item', new Float32(), true)
  const vector = new Field('embedding', new FixedSizeList(dimensions, item), false)
  const columns = documentFields.map(({ name }) => [name, parts.map((part) => part[name]!)] as const)
  return arrowTable(new Schema([...documentFields, vector]), parts.length, {
    ...Object.fromEntries(columns),
    embedding: vectors,
  })
}
