import { createHash } from 'node:crypto'
import { Field, FixedSizeList, Float32, Schema, type Table } from 'apache-arrow'
import { arrowTable } from '../store/arrowTable.ts'
import { documentFields } from '../store/schema.ts'
import { searchText } from '../text/searchWords.ts'
import type { ReadDocument } from './readDocument.ts'
import type { DocumentPart } from './types.ts'

/** What of a part is embedded and shown: the title tells what the part alone does not. */
export function partText({ title }: ReadDocument, { text }: DocumentPart): string {
  return `${title}\n${text}`
}

/** The batch LanceDB is given for a document, a row for each part. */
export function encodeDocument(
  document: ReadDocument,
  vectors: readonly Float32Array[],
  { dimensions, addedAt }: { readonly dimensions: number; readonly addedAt: bigint },
): Table {
  const { id, title, kind, contract, parts } = document
  const item = new Field('item', new Float32(), true)
  const vector = new Field('embedding', new FixedSizeList(dimensions, item), false)
  const addedMs = Date.now()
  const all = <T>(value: T): readonly T[] => parts.map(() => value)
  return arrowTable(new Schema([...documentFields, vector]), parts.length, {
    id: parts.map((_, index) => createHash('sha256').update(`${id} ${index}`).digest('hex').slice(0, 32)),
    documentId: all(id),
    part: parts.map((_, index) => index),
    parts: all(parts.length),
    title: all(title),
    documentKind: all(kind),
    contract: all(contract),
    selector: parts.map(({ selector }) => selector ?? ''),
    name: parts.map(({ name }) => name ?? ''),
    text: parts.map((part) => partText(document, part)),
    // The address only once: whoever asks for it wants the document, not all of its parts.
    words: parts.map((part, index) => searchText(`${title} ${index === 0 ? contract : ''} ${part.text}`)),
    addedMs: all(addedMs),
    addedAt: all(addedAt),
    embedding: vectors,
  })
}
