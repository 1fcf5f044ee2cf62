import { FilterError, QueryError, VectorStoreError } from '../errors.ts'

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
    if ([VectorStoreError, QueryError, FilterError].some((known) => cause instanceof known)) throw cause
    throw new VectorStoreError(
      'STORE_FAILED',
      `vector store: ${doing} failed in ${directory}: ${errorText(cause)}. If the disk is full or files were removed, repair that ` +
        'and start again; otherwise move the folder away and let it be rebuilt.',
      { cause, facts: { directory, doing } },
    )
  }
}
