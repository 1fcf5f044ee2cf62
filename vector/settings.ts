import { VectorStoreError } from './errors.ts'
import type { VectorStoreOptions } from './types.ts'

/** Blocks of an epoch where none is given: five minutes of Ethereum's. */
export const epochBlocks = 25

/** The options with every default in its place; `process` stays absent where none is asked for. */
export type VectorStoreSettings = Required<Omit<VectorStoreOptions, 'process'>> &
  Pick<VectorStoreOptions, 'process'>

/** Fills in defaults. Throws `VectorStoreError` `INVALID_OPTIONS` with every problem at once. */
export function settingsOf(options: VectorStoreOptions): VectorStoreSettings {
  const exactRows = options.exactRows ?? 1_500_000
  const settings = {
    ...options,
    rowsPerBatch: options.rowsPerBatch ?? 4000,
    keepVersionsMs: options.keepVersionsMs ?? 120_000,
    exactRows,
    indexAboveRows: options.indexAboveRows ?? Math.min(250_000, Math.max(50_000, exactRows)),
    readOnly: options.readOnly ?? false,
    epochBlocks: options.epochBlocks ?? epochBlocks,
    consolidationRows: options.consolidationRows ?? 2000,
    asyncConsolidation: options.asyncConsolidation ?? true,
    embedder: options.embedder ?? { kind: 'hash' as const },
  }
  const wholes = [
    'indexCacheBytes',
    'metadataCacheBytes',
    'keepVersionsMs',
    'indexAboveRows',
    'exactRows',
  ] as const
  const counts = ['rowsPerBatch', 'optimizeEvery', 'epochBlocks', 'consolidationRows'] as const
  const memory = options.process?.memoryBytes
  const problems = [
    ...wholes
      .filter((name) => !isInteger(settings[name], 0))
      .map((name) => `${name} as an integer from 0, got ${settings[name]}`),
    ...counts
      .filter((name) => !isInteger(settings[name], 1))
      .map((name) => `${name} as an integer from 1, got ${settings[name]}`),
    ...(memory !== undefined && !isInteger(memory, 1)
      ? [`process.memoryBytes as an integer from 1, got ${memory}`]
      : []),
    ...(settings.directory === '' ? ['a directory, got none'] : []),
  ]
  if (problems.length > 0) {
    throw new VectorStoreError('INVALID_OPTIONS', `vector store: expected ${problems.join('; ')}`)
  }
  return settings
}

function isInteger(value: number, least: number): boolean {
  return Number.isSafeInteger(value) && value >= least
}
