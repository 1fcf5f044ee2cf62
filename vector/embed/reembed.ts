import type { Table } from '@lancedb/lancedb'
import type { Schema } from 'apache-arrow'
import type { Embedder } from './embedder.ts'
import { type PlainRow, rowsWithVectors } from './rowsWithVectors.ts'
import type { TableDifference, TextColumns } from './tableDifference.ts'

export type ReembedProgress = {
  /** Rows of the new table that are as they should be, of how many. */
  readonly done: number
  readonly total: number
  /** The embedder whose vectors are being made. */
  readonly embedder: string
}

export type ReembedOptions = {
  /** Of `target`. */
  readonly schema: Schema
  readonly columns: TextColumns
  /** Rows read, embedded and written at a time; what is lost at a kill is one of these. Default 128. */
  readonly batchRows?: number | undefined
  readonly onProgress?: ((progress: ReembedProgress) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Makes `target` hold the rows of `source` with vectors of `embedder`, as far as they were found to differ. Rows written by a call
 * that was killed, aborted or failed are found equal by the next one.
 * Throws `EmbedderError`, LanceDB's errors, or the signal's reason.
 */
export async function reembed(
  source: Table,
  target: Table,
  { embed, copy, remove }: TableDifference,
  embedder: Embedder,
  { schema, columns, batchRows = 128, onProgress = () => undefined, signal }: ReembedOptions,
): Promise<void> {
  const total = await source.countRows()
  let done = total - embed.length - copy.length
  const tell = () => onProgress({ done: Math.max(0, done), total, embedder: embedder.id })
  tell()
  for (const ids of split(embed, batchRows)) {
    signal?.throwIfAborted()
    await write(ids, (rows) =>
      embedder.embed(
        rows.map((row) => String(row[columns.text])),
        signal,
      ),
    )
  }
  for (const ids of split(copy, batchRows)) {
    signal?.throwIfAborted()
    const vectors = await readVectors(target, ids, columns)
    await write(ids, async (rows) => rows.map((row) => vectors.get(String(row[columns.id]))!))
  }
  for (const ids of split(remove, 1000)) await target.delete(isOneOf(columns.id, ids))

  async function write(
    ids: readonly string[],
    vectorsOf: (rows: readonly PlainRow[]) => Promise<readonly Float32Array[]>,
  ): Promise<void> {
    const others = schema.fields.map(({ name }) => name).filter((name) => name !== columns.vector)
    const rows: PlainRow[] = await source.query().where(isOneOf(columns.id, ids)).select(others).toArray()
    // Where all are gone since they were listed there is nothing to write.
    if (rows.length > 0) {
      const vectors = await vectorsOf(rows)
      // By id, so that a batch whose end was not seen is not there twice.
      const merge = target.mergeInsert(columns.id).whenMatchedUpdateAll().whenNotMatchedInsertAll()
      await merge.execute(rowsWithVectors(rows, schema, columns.vector, vectors))
    }
    done += ids.length
    tell()
  }
}

async function readVectors(
  table: Table,
  ids: readonly string[],
  { id, vector }: TextColumns,
): Promise<ReadonlyMap<string, Float32Array>> {
  const rows: Record<string, unknown>[] = await table
    .query()
    .where(isOneOf(id, ids))
    .select([id, vector])
    .toArray()
  return new Map(
    rows.map((row) => [String(row[id]), Float32Array.from(row[vector] as Iterable<number>)] as const),
  )
}

/** Ids are the table's own, of any text: a quote is doubled, and nothing else has a meaning within quotes. */
function isOneOf(column: string, ids: readonly string[]): string {
  return `\`${column}\` IN (${ids.map((id) => `'${id.replaceAll("'", "''")}'`).join(', ')})`
}

function* split<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size)
}
