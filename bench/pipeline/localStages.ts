import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { bindingDigest, resolveConfig } from '#config'
import { openVectorStore } from '#vector'
import { createMetrics } from '../../sidecar/metrics.ts'
import type { Block, BlockRef } from '../../sidecar/notification/types.ts'
import { openStages } from '../../sidecar/openStages.ts'
import { createOutboxPump, type OutboxSink } from '../../sidecar/outbox/outboxPump.ts'
import { openStore } from '../../sidecar/watermark/openStore.ts'

export const genesis: BlockRef = { number: 0n, hash: `0x${'11'.repeat(32)}` }
export const config = resolveConfig({ profile: 'replay', env: process.env, flags: {} }).config
const logger = pino({ level: 'warn' }, pino.destination(2))

export async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'monmouth-bench-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

/** The real store, vector store and stages on a folder, without the wire. */
export async function openLocalStages(directory: string) {
  const store = openStore(
    {
      directory,
      identity: { chainId: 1n, genesisHash: genesis.hash, start: 1n, ...bindingDigest(config) },
      undoDepth: config.state.undoDepth,
      retainDecisions: config.state.retainDecisions,
    },
    { logger },
  )
  // As `startBridge` does: in a process of its own, which starts while the state is read.
  const { indexCacheBytes, metadataCacheBytes, optimizeEvery, processMemoryBytes } = config.vector
  const opening = openVectorStore(
    {
      ...{
        directory: join(directory, 'vector'),
        chainId: 1n,
        indexCacheBytes,
        metadataCacheBytes,
        optimizeEvery,
      },
      process: { memoryBytes: processMemoryBytes },
    },
    { logger },
  )
  const sink: OutboxSink = {
    apply: async (entries) => (await opening).apply(entries),
    patternsAt: async (boundary) => (await opening).patternsAt(boundary),
  }
  const pump = createOutboxPump(store, sink, { limitRows: config.vector.outboxLimitRows }, { logger })
  const opened = await openStages(
    { config, chainId: 1n, store, pump, metrics: createMetrics() },
    { logger, signal: new AbortController().signal },
  )
  const vector = await opening
  return {
    ...opened,
    store,
    /** Applies and stages blocks, with a commit every `group`. */
    async apply(blocks: readonly Block[], group: number) {
      for (const [i, block] of blocks.entries()) {
        const wait = opened.stages.ready(block)
        if (wait) {
          store.commit()
          pump.wake()
          await wait
        }
        const effects = await (opened.stages.apply(block) as Promise<Parameters<typeof stageOne>[0]>)
        stageOne(effects)
        if ((i + 1) % group === 0) {
          store.commit()
          pump.wake()
        }
      }
      store.commit()
      pump.wake()
    },
    undo(refs: readonly BlockRef[], tip: BlockRef) {
      const undoOutbox = opened.stages.undo(refs, tip)
      store.stage({ undo: refs, undoOutbox, apply: [], finalized: undefined })
      store.commit()
      pump.wake()
    },
    async close() {
      opened.svm.close()
      await pump.close()
      await vector.close()
      store.close()
    },
  }
  function stageOne(effects: Parameters<typeof store.stage>[0]['apply'][number]) {
    store.stage({ undo: [], undoOutbox: [], apply: [effects], finalized: undefined })
  }
}
