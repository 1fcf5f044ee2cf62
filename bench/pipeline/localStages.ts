import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { bindingDigest, resolveConfig } from '#config'
import { createMetrics } from '../../sidecar/metrics.ts'
import type { Block, BlockRef } from '../../sidecar/notification/types.ts'
import { openStages } from '../../sidecar/openStages.ts'
import { createOutboxPump } from '../../sidecar/outbox/outboxPump.ts'
import { startVector } from '../../sidecar/startVector.ts'
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
  const vectorStore = startVector({ directory: join(directory, 'vector'), chainId: 1n, config }, { logger })
  const pump = createOutboxPump(
    store,
    vectorStore.sink,
    { limitRows: config.vector.outboxLimitRows },
    { logger },
  )
  const opened = await openStages(
    { config, chainId: 1n, store, pump, metrics: createMetrics() },
    { logger, signal: new AbortController().signal },
  )
  await vectorStore.opened
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
      await vectorStore[Symbol.asyncDispose]()
      store.close()
    },
  }
  function stageOne(effects: Parameters<typeof store.stage>[0]['apply'][number]) {
    store.stage({ undo: [], undoOutbox: [], apply: [effects], finalized: undefined })
  }
}
