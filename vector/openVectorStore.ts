import type { Logger } from 'pino'
import { settingsOf } from './settings.ts'
import type { MaintenanceEvent, VectorStore, VectorStoreOptions } from './types.ts'

export type VectorStoreDependencies = {
  readonly logger: Logger
  /** Told of every background job, failed ones included: for metrics. */
  readonly onMaintenance?: ((event: MaintenanceEvent) => void) | undefined
}

/**
 * Opens the retrieval memory in a folder, making it where there is none. Throws `VectorStoreError`: `INVALID_OPTIONS`,
 * `STORE_MISSING`, `TABLE_MISSING`, `STORE_MISMATCH`, `STORE_DAMAGED`, `STORE_IN_USE`, `STORE_FAILED`.
 *
 * ```ts
 * await using store = await openVectorStore({ directory, chainId: 1n, ... }, { logger })
 * await store.apply([{ kind: 'transactions', block, rows }])
 * const answer = await store.search({ query: 'failed swaps to:0x…', limit: 10, tokens: 2000 })
 * ```
 */
export async function openVectorStore(
  options: VectorStoreOptions,
  { logger, onMaintenance = () => undefined }: VectorStoreDependencies,
): Promise<VectorStore> {
  const settings = settingsOf(options)
  // Loaded when wanted: with a process of its own, LanceDB's library is never mapped into this one.
  if (settings.process) {
    const { openStoreProcess } = await import('./process/openStoreProcess.ts')
    return openStoreProcess(settings, settings.process, { logger, onMaintenance })
  }
  const { openStore } = await import('./store/openStore.ts')
  return openStore(settings, { logger, onMaintenance })
}
