import type { Logger } from 'pino'
import type { Config } from '#config'
import { openVectorStore, type VectorStore } from '#vector'
import type { OutboxSink } from './outbox/outboxPump.ts'

/** A vector store that is being opened. */
export type StartedVector = AsyncDisposable & {
  /** Takes calls at once; they wait for the store. */
  readonly sink: OutboxSink
  readonly opened: Promise<VectorStore>
}

/** Opens the vector store in a process of its own, which starts while the caller reads its state. */
export function startVector(
  { directory, chainId, config }: { directory: string; chainId: bigint; config: Pick<Config, 'vector'> },
  { logger, open = openVectorStore }: { logger: Logger; open?: typeof openVectorStore | undefined },
): StartedVector {
  const { indexCacheBytes, metadataCacheBytes, optimizeEvery, processMemoryBytes } = config.vector
  const opened = open(
    {
      ...{ directory, chainId, indexCacheBytes, metadataCacheBytes, optimizeEvery },
      process: { memoryBytes: processMemoryBytes },
    },
    { logger },
  )
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
}
