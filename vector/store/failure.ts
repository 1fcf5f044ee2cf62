import { DocumentError } from '../documents/documentError.ts'
import { EmbedderError } from '../embed/embedderError.ts'
import { FilterError, QueryError, VectorStoreError } from '../errors.ts'

/** Errors of our own: they say already what is wrong. */
const known = [VectorStoreError, QueryError, FilterError, DocumentError, EmbedderError]

/** LanceDB's messages carry a stack of Rust paths: the first line, shortened, is what a person can use. */
export function errorText(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return text.split('\n', 1)[0]!.slice(0, 400)
}

/**
 * Runs an operation of LanceDB and gives its failure a type: `STORE_FAILED`, with what was being done and where.
 * Our own errors pass unchanged.
 */
export async function storeOperation<T>(doing: string, directory: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (cause) {
    if (known.some((family) => cause instanceof family)) throw cause
    throw new VectorStoreError(
      'STORE_FAILED',
      `vector store: ${doing} failed in ${directory}: ${errorText(cause)}. If the disk is full or files were removed, repair that ` +
        'and start again; otherwise move the folder away and let it be rebuilt.',
      { cause, facts: { directory, doing } },
    )
  }
}
