import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { VectorStoreError } from '../errors.ts'
import type { EmbedderRecord } from './openEmbedder.ts'

/** A table of vectors, and the embedder that all of them come from. */
export type EmbeddedTable = { readonly table: string; readonly embedder: EmbedderRecord }

/** Which table answers for a name, and which one is being made to follow it. */
export type TableState = EmbeddedTable & { readonly next: EmbeddedTable | undefined }

const layout = 1

/** The file beside the tables: `documents.embedder.json`. */
export function tableStatePath(directory: string, name: string): string {
  return join(directory, `${name}.embedder.json`)
}

/** Undefined when there is none yet. Throws `VectorStoreError` `STORE_DAMAGED` when it is there and cannot be read. */
export function readTableState(directory: string, name: string): TableState | undefined {
  const path = tableStatePath(directory, name)
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw damaged(path, (cause as Error).message, cause)
  }
  try {
    const found = JSON.parse(text) as { layout: unknown } & Partial<TableState>
    if (found.layout !== layout) throw new Error(`layout ${found.layout}, expected ${layout}`)
    return {
      ...embeddedTable(found),
      next: found.next === undefined ? undefined : embeddedTable(found.next),
    }
  } catch (cause) {
    throw damaged(path, (cause as Error).message, cause)
  }
}

/** Replaces the file as a whole: whoever reads finds the old state or the new one, also after a power failure. */
export function writeTableState(directory: string, name: string, state: TableState): void {
  const path = tableStatePath(directory, name)
  const written = `${path}.new`
  try {
    const file = openSync(written, 'w')
    try {
      writeSync(file, `${JSON.stringify({ layout, ...state }, null, 2)}\n`)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    renameSync(written, path)
    const folder = openSync(directory, 'r')
    try {
      fsyncSync(folder)
    } finally {
      closeSync(folder)
    }
  } catch (cause) {
    throw new VectorStoreError(
      'STORE_FAILED',
      `vector store: cannot write ${path}: ${(cause as Error).message}. What answered before still does.`,
      { cause, facts: { path } },
    )
  }
}

function embeddedTable(found: Partial<EmbeddedTable>): EmbeddedTable {
  const { table, embedder } = found
  const isRecord = typeof embedder?.id === 'string' && Number.isSafeInteger(embedder.dimensions)
  if (typeof table !== 'string' || !isRecord) throw new Error('a table without its embedder')
  return { table, embedder: { id: embedder.id, dimensions: embedder.dimensions } }
}

function damaged(path: string, came: string, cause: unknown): VectorStoreError {
  return new VectorStoreError(
    'STORE_DAMAGED',
    `vector store: expected ${path} to name the table in use, got: ${came}. Restore the folder from a copy, or move it away and ` +
      'let it be rebuilt; it is left as it is.',
    { cause, facts: { path } },
  )
}
