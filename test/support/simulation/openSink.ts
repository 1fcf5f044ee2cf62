import type { Logger } from 'pino'
import type { Config } from '#config'
import { openVectorStore } from '#vector'
import { createRandom } from '../../../harness/random.ts'
import type { OutboxSink } from '../../../sidecar/outbox/outboxPump.ts'
import { createMemoryRows, type VectorContents } from './createMemoryRows.ts'
import { readVectorFolder } from './readVectorFolder.ts'

/** Where the outbox goes: it outlives the machine that writes to it. */
export type Sink = OutboxSink & {
  /** Everything in it, as of now. */
  contents(): Promise<VectorContents>
  close(): Promise<void>
}

export type SinkOptions = {
  readonly kind: 'lancedb' | 'memory'
  readonly directory: string
  readonly chainId: bigint
  readonly config: Config
  readonly seed: number
}

/**
 * Opens a vector store: LanceDB in a folder, or Maps. The Maps take entries one by one, so that a kill leaves part of a
 * batch behind, and in one run of eight they refuse a write now and then.
 */
export async function openSink(
  { kind, directory, chainId, config, seed }: SinkOptions,
  { logger }: { readonly logger: Logger },
): Promise<Sink> {
  if (kind === 'lancedb') {
    const { indexCacheBytes, metadataCacheBytes, optimizeEvery } = config.vector
    const store = await openVectorStore(
      { directory, chainId, indexCacheBytes, metadataCacheBytes, optimizeEvery },
      { logger },
    )
    return {
      apply: (entries) => store.apply(entries),
      patternsAt: (boundary) => store.patternsAt(boundary),
      contents: () => readVectorFolder(directory),
      close: () => store.close(),
    }
  }
  const random = createRandom(seed, 'sink')
  const refusals = random.chance(1 / 8) ? 0.05 : 0
  const rows = createMemoryRows()
  return {
    async apply(entries) {
      for (const entry of entries) {
        await new Promise((resolve) => setImmediate(resolve))
        if (random.chance(refusals)) throw new Error('refused for once')
        rows.applyOne(entry)
      }
    },
    async patternsAt(boundary) {
      const found = [...rows.patterns.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
      const ahead = found.find((row) => row.boundary > boundary)
      if (ahead !== undefined)
        throw new Error(`row ${ahead.id} is of ${ahead.boundary}, asked as of ${boundary}`)
      return found
    },
    contents: async () => rows,
    close: async () => undefined,
  }
}
