import { connect, Index, Session, type Table } from '@lancedb/lancedb'
import { Field, FixedSizeList, Float32, Int64, Schema, Utf8 } from 'apache-arrow'
import pino from 'pino'
import { createHttpEmbedder } from '../../../vector/embed/httpEmbedder.ts'
import { rowsWithVectors } from '../../../vector/embed/rowsWithVectors.ts'
import { openServingTable } from '../../../vector/embed/servingTable.ts'
import { vectorOf } from './embedderServer.ts'

export type Note = {
  readonly id: string
  readonly text: string
  readonly block: bigint
  readonly source: string | null
}

const fields = [
  new Field('id', new Utf8(), false),
  new Field('text', new Utf8(), false),
  new Field('block', new Int64(), false),
  new Field('source', new Utf8(), true),
]

/** A table of notes behind the name `notes`; made with a model of 8 dimensions. */
export async function openNotes(directory: string, { readOnly = false, dimensions = 8 } = {}) {
  const session = new Session(2n ** 24n, 2n ** 22n)
  const connection = await connect(directory, readOnly ? { readConsistencyInterval: 0 } : {}, session)
  const serving = await openServingTable({
    connection,
    directory,
    name: 'notes',
    embedder: { id: `http:model-${dimensions}/1`, dimensions },
    fields,
    metadata: new Map([['monmouth.schema', 'test']]),
    readOnly,
    async complete(table) {
      const id = (await table.schema()).fields.find(({ name }) => name === 'id')
      if (!id?.metadata.has('lance-schema:unenforced-primary-key:position'))
        await table.setUnenforcedPrimaryKey('id')
      if ((await table.listIndices()).length === 0) await table.createIndex('id', { config: Index.btree() })
    },
  })
  return {
    connection,
    serving,
    [Symbol.asyncDispose]: async () => {
      serving.close()
      connection.close()
    },
  }
}

/** The endpoint's model of so many dimensions: what it gives depends on the text only. */
export function modelOf(url: string, dimensions: number, changes = {}) {
  return createHttpEmbedder(
    {
      url,
      model: 'model',
      dimensions,
      retries: 0,
      breakerFailures: 1000,
      batchTexts: 16,
      ...changes,
    },
    { logger: pino({ level: 'silent' }) },
  )
}

/** Writes notes as the owner of the table would, with vectors of the embedder in use. */
export async function putNotes(table: Table, dimensions: number, notes: readonly Note[]): Promise<void> {
  const vector = new FixedSizeList(dimensions, new Field('item', new Float32(), true))
  const schema = new Schema([...fields, new Field('embedding', vector, false)])
  const vectors = notes.map(({ text }) => vectorOf(text, dimensions))
  await table
    .mergeInsert('id')
    .whenMatchedUpdateAll()
    .whenNotMatchedInsertAll()
    .execute(rowsWithVectors(notes, schema, 'embedding', vectors))
}

/** Every row, its vector as numbers, sorted by id. */
export async function readNotes(table: Table): Promise<(Note & { embedding: number[] })[]> {
  const rows = (await table.query().toArray()) as (Note & { embedding: Iterable<number> })[]
  return rows
    .map(({ id, text, block, source, embedding }) => ({ id, text, block, source, embedding: [...embedding] }))
    .sort((a, b) => (a.id < b.id ? -1 : 1))
}

/** What `readNotes` must give once all vectors are of the model. */
export function expectedNotes(notes: readonly Note[], dimensions: number) {
  return notes
    .map((note) => ({ ...note, embedding: [...vectorOf(note.text, dimensions)] }))
    .sort((a, b) => (a.id < b.id ? -1 : 1))
}

export const notesOf = (count: number, from = 0): Note[] =>
  Array.from({ length: count }, (_, index) => ({
    id: `it's note "${from + index}"`,
    text: `text of note ${from + index}`,
    block: BigInt(from + index) + 2n ** 60n,
    source: index % 3 === 0 ? null : `source ${index}`,
  }))
