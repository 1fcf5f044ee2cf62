import { lastValueFrom, of } from 'rxjs'
import { expect, onTestFinished, test } from 'vitest'
import { resolveConfig } from '#config'
import { createMetrics } from '../../sidecar/metrics.ts'
import { createChain } from '../../sidecar/notification/chain.ts'
import { openStages } from '../../sidecar/openStages.ts'
import type { OutboxPump } from '../../sidecar/outbox/outboxPump.ts'
import { pipeline } from '../../sidecar/pipeline.ts'
import { committed, fork, genesis } from '../support/chain.ts'
import { identity, openTestStore, silent, temporaryDirectory } from './watermark/storeFixture.ts'

test('context is asked for once the blocks it is made from are durable', async () => {
  const set = ['context.epoch=4', 'context.lag=2']
  const { config } = resolveConfig({ command: 'config', profile: 'test', env: {}, flags: { set } })
  const store = openTestStore(temporaryDirectory())
  const { signal } = new AbortController()
  /** What was durable when a boundary's rows were asked for. */
  const asked: [boundary: bigint, durable: bigint | undefined][] = []
  const pump: OutboxPump = {
    wake: () => {},
    room: () => undefined,
    // As the real one, it looks at what is committed at the moment of the call.
    patternsAt(boundary) {
      asked.push([boundary, store.progress().durable?.number])
      return Promise.resolve([])
    },
    problem: () => undefined,
    drained: () => Promise.resolve(),
    close: () => Promise.resolve(),
  }
  const { stages, svm } = await openStages(
    { config, chainId: identity.chainId, store, pump, metrics: createMetrics() },
    { logger: silent, signal },
  )
  onTestFinished(() => svm.close())

  // One notification, and groups so large that nothing but a wait makes a block durable before its end.
  const blocks = fork(genesis, 12)
  const events$ = of(committed(blocks)).pipe(
    pipeline(stages, store, {
      initial: () => createChain([genesis], config.state.undoDepth, undefined),
      policy: { maxBlocks: 1_000, maxDelayMs: 1_000_000 },
      signal,
    }),
  )
  await lastValueFrom(events$)
  // Block 6 is the first that is decided with boundary 4, block 10 with boundary 8.
  expect(asked).toEqual([
    [4n, 5n],
    [8n, 9n],
  ])
  expect(store.progress().durable).toEqual(blocks.at(-1)!.ref)
})
