import { describe, expect, test } from 'vitest'
import { canonicalAt, createChain, moveChain } from '../../sidecar/notification/chain.ts'
import type { BlockRef } from '../../sidecar/notification/types.ts'
import { isAsReceived, restoredChain } from '../../sidecar/restoredChain.ts'
import { committed, fork, genesis, refs, reorged } from '../support/chain.ts'
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

describe('isAsReceived', () => {
  const start = createChain([genesis], 10, undefined)

  test('holds for blocks of the chain as received', () => {
    const blocks = fork(genesis, 4)
    const chain = moveChain(start, committed(blocks)).chain
    for (const ref of refs(blocks)) expect(isAsReceived(chain, ref), `${ref.number}`).toBe(true)
  })

  test('does not hold for a block that a resume took back, below where a later session begins as well', () => {
    const old = fork(genesis, 6)
    const next = fork(old[2]!.ref, 8, 'b')
    let chain = moveChain(start, committed(old)).chain
    // The first session ends; in the next one the server never sends what the node has left.
    chain = moveChain(chain, { kind: 'resumed', ancestor: old[2]!.ref }).chain
    expect(isAsReceived(chain, old[4]!.ref), 'nothing came in its place yet').toBe(false)
    chain = moveChain(chain, committed(next)).chain
    // A third session begins at the tip: block 5 lies below all that it carries.
    chain = moveChain(chain, { kind: 'resumed', ancestor: next.at(-1)!.ref }).chain
    expect(isAsReceived(chain, old[4]!.ref)).toBe(false)
    expect(isAsReceived(chain, old[2]!.ref), 'the ancestor').toBe(true)
    expect(isAsReceived(chain, next[1]!.ref), 'what came in its place').toBe(true)
  })

  test('does not hold for a block undone within the session', () => {
    const old = fork(genesis, 4)
    const next = fork(old[1]!.ref, 3, 'b')
    const chain = moveChain(moveChain(start, committed(old)).chain, reorged(old.slice(2), next)).chain
    expect(isAsReceived(chain, old[3]!.ref)).toBe(false)
  })

  test('holds for what can no longer be undone, and where nothing was received', () => {
    const blocks = fork(genesis, 100)
    const chain = moveChain(start, committed(blocks)).chain
    const early: BlockRef = blocks[3]!.ref
    expect(canonicalAt(chain, early.number), 'out of the window').toBeUndefined()
    expect(isAsReceived(chain, early)).toBe(true)
    expect(isAsReceived(createChain([], 10, undefined), early)).toBe(true)
  })
})
