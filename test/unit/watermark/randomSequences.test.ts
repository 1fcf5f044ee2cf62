import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openStore } from '../../../sidecar/watermark/openStore.ts'
import type { BlockEffects } from '../../../sidecar/watermark/types.ts'
import { verifyStore } from '../../../sidecar/watermark/verifyStore.ts'
import { createChainModel, createRandom, effectsOf } from './chainModel.ts'
import { identity, modelAll, readAll, silent } from './storeFixture.ts'

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('apply' as const), blocks: fc.integer({ min: 1, max: 5 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('reorg' as const),
      depth: fc.integer({ min: 1, max: 12 }),
      blocks: fc.integer({ min: 0, max: 4 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('commit' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reopen' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('abandon' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('finalize' as const), behind: fc.integer({ min: 0, max: 20 }) }),
  },
)

test('after any sequence of steps the durable tables equal the canonical chain', () => {
  fc.assert(
    fc.property(fc.integer(), fc.array(step, { minLength: 5, maxLength: 60 }), (seed, steps) => {
      const directory = mkdtempSync(join(tmpdir(), 'monmouth-watermark-'))
      const undoDepth = 10
      // Small enough for the log to be folded, in several slices, all the time.
      const log = { foldKeys: 40, sliceKeys: 5 }
      const open = () =>
        openStore({ directory, identity, undoDepth, retainDecisions: 0, log }, { logger: silent })
      let store = open()
      try {
        const random = createRandom(seed)
        const model = createChainModel()
        // Undone blocks that may come back as they were.
        const undone: BlockEffects[] = []
        let floor = 0
        // The model as of the last commit: what a restart goes back to.
        let durable: BlockEffects[] = []
        let durableFloor = 0
        let branch = 0
        const grow = (count: number) => {
          const apply = Array.from({ length: count }, () => {
            const again = undone.findLast(({ parent }) => parent.hash === model.tip()?.hash)
            const block =
              again !== undefined && random(3) === 0 ? again : model.next(`branch ${branch}`, random)
            model.append(block)
            return block
          })
          floor = Math.max(floor, Number(model.tip()?.number ?? 0n) - undoDepth)
          return apply
        }
        const restart = () => {
          store = open()
          while (model.blocks.length > 0) model.pop()
          for (const block of durable) model.append(block)
          floor = durableFloor
        }
        for (const [place, each] of steps.entries()) {
          branch++
          if (each.do === 'apply') store.stage(effectsOf({ apply: grow(each.blocks) }))
          if (each.do === 'reorg') {
            const refs = model.blocks
              .slice(-each.depth)
              .reverse()
              .map(({ block }) => block)
            if (refs.some(({ number }) => number <= floor)) {
              expect(() => store.stage(effectsOf({ undo: refs })), `step ${place}`).toThrow(
                /cannot be undone/,
              )
            } else {
              expect(store.undoneBlocks(refs).length, `step ${place}`).toBe(refs.length)
              for (const _ of refs) undone.push(model.pop())
              store.stage(effectsOf({ undo: refs, apply: grow(each.blocks) }))
            }
          }
          if (each.do === 'finalize') {
            const finalized = model.blocks.at(-1 - each.behind)?.block
            store.stage(effectsOf({ finalized }))
            floor = Math.max(floor, Number(finalized?.number ?? 0n))
          }
          if (each.do === 'commit') {
            store.commit()
            durable = [...model.blocks]
            durableFloor = floor
          }
          if (each.do === 'reopen') {
            store.close()
            restart()
          }
          if (each.do === 'abandon') {
            // Another look at the same files, as after a kill: nothing was folded or marked clean.
            const reader = openStore(
              { directory, identity, undoDepth, retainDecisions: 0, log, readOnly: true },
              { logger: silent },
            )
            const seen = readAll(reader)
            reader.close()
            expect(seen, `reader at step ${place}`).toEqual(readAll(store))
          }
        }
        store.commit()
        expect(readAll(store)).toEqual(modelAll(model))
        for (const { block, transactionHashes } of model.blocks) {
          for (let at = 0; at < transactionHashes.length; at += 32) {
            const found = store.findTransaction(transactionHashes.subarray(at, at + 32))
            expect(found[0], `transaction ${at / 32} of block ${block.number}`).toEqual({
              ...{ block, index: at / 32, canonical: true },
            })
          }
        }
        store.close()
        expect(verifyStore({ directory }, { logger: silent })).toMatchObject({
          problems: [],
          durable: model.tip(),
        })
        store = open()
        expect(readAll(store)).toEqual(modelAll(model))
      } finally {
        store.close()
        rmSync(directory, { recursive: true, force: true })
      }
    }),
    { numRuns: 40 },
  )
}, 120_000)
