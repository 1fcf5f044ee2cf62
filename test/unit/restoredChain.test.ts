import { describe, expect, test } from 'vitest'
import { moveChain } from '../../sidecar/notification/chain.ts'
import { restoredChain } from '../../sidecar/restoredChain.ts'
import { createChainModel, createRandom, effectsOf } from './watermark/chainModel.ts'
import { openTestStore, temporaryDirectory } from './watermark/storeFixture.ts'

describe('restoredChain', () => {
  const config = (undoDepth: number, depth = 4) =>
    ({ state: { undoDepth }, finality: { depth } }) as Parameters<typeof restoredChain>[0]

  /** A store with so many blocks, and all of them with the one below the first. */
  function storeOf(count: number, finalized?: number) {
    const store = openTestStore(temporaryDirectory())
    const model = createChainModel()
    const random = createRandom(7)
    for (let n = 0; n < count; n++) model.append(model.next('a', random))
    store.stage(effectsOf({ apply: model.blocks }))
    if (finalized) store.stage(effectsOf({ finalized: model.blocks[finalized - 1]!.block }))
    store.commit()
    const first = model.blocks[0]
    return { store, known: first ? [first.parent, ...model.blocks.map(({ block }) => block)] : [] }
  }

  test('is empty in a new store: where it begins is for the server to say', () => {
    expect(restoredChain(config(8), storeOf(0).store).refs).toEqual([])
  })

  test('of a young chain holds all blocks and the one before them, so that all can be undone', () => {
    const { store, known } = storeOf(3)
    const chain = restoredChain(config(8), store)
    expect(chain.refs).toEqual(known)
    expect(moveChain(chain, { kind: 'resumed', ancestor: known[0]! }).undo).toHaveLength(3)
  })

  test('holds what can be undone and no more than two blocks below it', () => {
    const { store, known } = storeOf(14)
    const chain = restoredChain(config(8), store)
    expect(chain.refs).toEqual(known.slice(-10))
    expect(moveChain(chain, { kind: 'resumed', ancestor: known[6]! }).undo).toHaveLength(8)
    expect(() => moveChain(chain, { kind: 'resumed', ancestor: known[5]! })).toThrow(/state.undo_depth/)
  })

  test('keeps what was final, and the depth at which a block stands in for it', () => {
    const { store, known } = storeOf(6, 1)
    const chain = restoredChain(config(8, 2), store)
    expect(chain.finalized).toEqual(known[1])
    expect(moveChain(chain, { kind: 'heads', finalized: undefined }).chain.finalized).toEqual(known[4])
  })
})
