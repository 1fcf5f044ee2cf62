import type { Logger } from 'pino'
import type { Config } from '#config'
import {
  type CachedStore,
  createCachedStore,
  type EmbedderOptions,
  openVectorStore,
  type VectorStore,
} from '#vector'
import type { Metrics } from './metrics.ts'
import type { OutboxSink } from './outbox/outboxPump.ts'
import { readSecretLines } from './secretFile.ts'

/** A vector store that is being opened. */
export type StartedVector = AsyncDisposable & {
  /** Takes calls at once; they wait for the store. */
  readonly sink: OutboxSink
  /** With its cache, unless the configuration does without. */
  readonly opened: Promise<VectorStore | CachedStore>
}

type VectorConfig = Pick<Config, 'vector' | 'memory' | 'caching' | 'embedder'>

/** Opens the vector store in a process of its own, which starts while the caller reads its state. */
export function startVector(
  { directory, chainId, config }: { directory: string; chainId: bigint; config: VectorConfig },
  {
    logger,
    metrics,
    open = openVectorStore,
  }: {
    logger: Logger
    metrics?: Pick<Metrics, 'ragCache' | 'maintenance'> | undefined
    open?: typeof openVectorStore | undefined
  },
): StartedVector {
  const opened = openCached()
  // Whoever awaits `opened` is told of a failure; one that comes before anybody does must not end the process.
  const settled = Promise.allSettled([opened])
  return {
    opened,
    sink: {
      apply: async (entries) => (await opened).apply(entries),
      patternsAt: async (boundary) => (await opened).patternsAt(boundary),
    },
    async [Symbol.asyncDispose]() {
      const [result] = await settled
      if (result.status === 'fulfilled') await result.value.close()
    },
  }

  async function openCached(): Promise<VectorStore | CachedStore> {
    const { indexCacheBytes, metadataCacheBytes, optimizeEvery, exactRows, processMemoryBytes } =
      config.vector
    let cached: CachedStore | undefined
    const store = await open(
      {
        ...{ directory, chainId, indexCacheBytes, metadataCacheBytes, optimizeEvery, exactRows },
        ...memoryOptions(config),
        embedder: await embedderOptions(config),
        process: { memoryBytes: processMemoryBytes },
      },
      {
        logger,
        // What its background did may show in answers.
        onMaintenance({ job, ok }) {
          metrics?.maintenance.inc({ job, result: ok ? 'done' : 'failed' })
          cached?.changed()
        },
      },
    )
    const { enabled, size, ttlSeconds, negativeTtlSeconds, ...ahead } = config.caching
    if (!enabled) return store
    cached = createCachedStore(
      store,
      {
        bytes: size,
        ttlMs: ttlSeconds * 1000,
        negativeTtlMs: negativeTtlSeconds * 1000,
        prefetch: ahead.prefetchEnabled
          ? { windowSize: ahead.prefetchWindowSize, threshold: ahead.prefetchThreshold }
          : undefined,
      },
      { logger, onAnswer: (source) => metrics?.ragCache.inc({ source }) },
    )
    return cached
  }
}

/** How stored blocks become graph and memories. */
export function memoryOptions({ memory }: Pick<Config, 'memory'>) {
  return {
    epochBlocks: memory.consolidationInterval,
    consolidationRows: memory.consolidationBatchSize,
    asyncConsolidation: memory.asyncConsolidation,
  }
}

/**
 * What documents and questions to them are embedded with, the key read from its file; the configuration's relations see to it that
 * nothing else is missing. Throws `SecretFileError`.
 */
export async function embedderOptions({ embedder }: Pick<Config, 'embedder'>): Promise<EmbedderOptions> {
  const { kind, url, model, dimensions, keyFile, timeout, questionTimeout, ...rest } = embedder
  if (kind === 'hash') return { kind }
  const key = keyFile === undefined ? undefined : (await readSecretLines('embedder.key_file', keyFile))[0]
  return {
    ...rest,
    ...{ kind, url: url!, model: model!, dimensions: dimensions!, apiKey: key },
    ...{ timeoutMs: timeout, questionTimeoutMs: questionTimeout },
  }
}
