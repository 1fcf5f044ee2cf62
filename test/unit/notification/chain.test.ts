import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Chain,
  canonicalAt,
  chainTip,
  createChain,
  moveChain,
} from '../../../sidecar/notification/chain.ts'
import { GapError, ReorgTooDeepError } from '../../../sidecar/notification/errors.ts'
import type { Block, BlockRef } from '../../../sidecar/notification/types.ts'
import { committed, facts, fork, genesis, refs, reorged, reverted } from '../../support/chain.ts'

const start = (undoDepth = 10): Chain => createChain([genesis], undoDepth, undefined)

function chainOf(blocks: readonly Block[], undoDepth = 10, finalized?: BlockRef): Chain {
  return moveChain(start(undoDepth), committed(blocks, finalized)).chain
}

describe('moveChain', () => {
  test('applies a commit oldest first', () => {
    const blocks = fork(genesis, 3)
    const move = moveChain(start(), committed(blocks))
    expect(move.undo).toEqual([])
    expect(move.apply).toEqual(blocks)
    expect(chainTip(move.chain)).toEqual(blocks[2]!.ref)
  })

  test('undoes newest block first on reorg', () => {
    const old = fork(genesis, 4)
    const next = fork(old[1]!.ref, 3, 'b')
    const move = moveChain(chainOf(old), reorged(old.slice(2), next))
    expect(move.undo).toEqual([old[3]!.ref, old[2]!.ref])
    expect(move.apply).toEqual(next)
    expect(move.chain.refs).toEqual([genesis, ...refs(old.slice(0, 2)), ...refs(next)])
  })

  test('undoes newest block first on revert', () => {
    const old = fork(genesis, 3)
    const move = moveChain(chainOf(old), reverted(old.slice(1)))
    expect(move.undo).toEqual([old[2]!.ref, old[1]!.ref])
    expect(move.apply).toEqual([])
    expect(chainTip(move.chain)).toEqual(old[0]!.ref)
  })

  test('takes a commit on an ancestor as an implicit unwind to it', () => {
    const old = fork(genesis, 4)
    const next = fork(old[0]!.ref, 1, 'b')
    const move = moveChain(chainOf(old), committed(next))
    expect(move.undo).toEqual(refs(old.slice(1)).reverse())
    expect(move.apply).toEqual(next)
  })

  test('ignores a commit, a reorg and a revert that were applied before', () => {
    const old = fork(genesis, 3)
    const next = fork(old[0]!.ref, 3, 'b')
    const chain = moveChain(chainOf(old), reorged(old.slice(1), next)).chain
    for (const repeated of [committed(next), reorged(old.slice(1), next), committed(old.slice(0, 1))]) {
      const move = moveChain(chain, repeated)
      expect([move.undo, move.apply], repeated.kind).toEqual([[], []])
      expect(move.chain.refs).toEqual(chain.refs)
    }
    const afterRevert = moveChain(chain, reverted(next.slice(1))).chain
    const again = moveChain(afterRevert, reverted(next.slice(1)))
    expect([again.undo, again.apply]).toEqual([[], []])
  })

  test('a repetition longer than the window is one, not a deep reorg', () => {
    const blocks = fork(genesis, 105)
    const chain = chainOf(blocks.slice(0, 100))
    expect(canonicalAt(chain, blocks[0]!.ref.number), 'out of the window').toBeUndefined()
    const again = moveChain(chain, committed(blocks.slice(0, 100)))
    expect([again.undo, again.apply]).toEqual([[], []])
    expect(again.chain.refs).toEqual(chain.refs)
    const more = moveChain(chain, committed(blocks))
    expect(more.undo).toEqual([])
    expect(more.apply).toEqual(blocks.slice(100))
  })

  test('applies only the unknown part of a commit that overlaps', () => {
    const blocks = fork(genesis, 5)
    const move = moveChain(chainOf(blocks.slice(0, 3)), committed(blocks.slice(1)))
    expect(move.undo).toEqual([])
    expect(move.apply).toEqual(blocks.slice(3))
  })

  test('a parent that is unknown is a gap, and the chain stays as it was', () => {
    const blocks = fork(genesis, 5)
    const chain = chainOf(blocks.slice(0, 2))
    expect(() => moveChain(chain, committed(blocks.slice(3)))).toThrow(GapError)
    const stranger = fork({ number: 1n, hash: fork(genesis, 1, 'other')[0]!.ref.hash }, 1)
    expect(() => moveChain(chain, committed(stranger))).toThrow(GapError)
    expect(() => moveChain(chain, committed([blocks[2]!, blocks[4]!]))).toThrow(GapError)
    expect(() => moveChain(chain, reverted(fork(blocks[4]!.ref, 1, 'b')))).toThrow(GapError)
    expect(chain.refs).toEqual([genesis, ...refs(blocks.slice(0, 2))])
  })

  test('a reorg below the kept undo is refused, at the limit it is not', () => {
    const old = fork(genesis, 200)
    const chain = chainOf(old, 10)
    const atLimit = fork(old[189]!.ref, 1, 'b')
    expect(moveChain(chain, committed(atLimit)).undo).toHaveLength(10)
    const below = fork(old[188]!.ref, 20, 'b')
    expect(() => moveChain(chain, committed(below))).toThrow(ReorgTooDeepError)
    expect(() => moveChain(chain, { kind: 'resumed', ancestor: genesis })).toThrow(/state.undo_depth/)
  })

  test('a reorg below a final block is refused', () => {
    const old = fork(genesis, 8)
    const chain = chainOf(old, 10, old[4]!.ref)
    expect(chain.finalized).toEqual(old[4]!.ref)
    expect(moveChain(chain, committed(fork(old[4]!.ref, 1, 'b'))).undo).toHaveLength(3)
    expect(() => moveChain(chain, committed(fork(old[3]!.ref, 9, 'b')))).toThrow(/was final/)
  })

  test('a resume undoes what is above the ancestor', () => {
    const old = fork(genesis, 5)
    const move = moveChain(chainOf(old), { kind: 'resumed', ancestor: old[2]!.ref })
    expect(move.undo).toEqual([old[4]!.ref, old[3]!.ref])
    expect(() =>
      moveChain(chainOf(old), { kind: 'resumed', ancestor: fork(old[4]!.ref, 3)[2]!.ref }),
    ).toThrow(GapError)
  })

  test('the first resume names the anchor, and another one may while nothing is applied', () => {
    const empty = createChain([], 10, undefined)
    const blocks = fork(genesis, 3)
    expect(() => moveChain(empty, committed(blocks))).toThrow(GapError)
    const anchored = moveChain(empty, { kind: 'resumed', ancestor: blocks[0]!.ref }).chain
    expect(moveChain(anchored, committed(blocks.slice(1))).apply).toHaveLength(2)
    const again = moveChain(anchored, { kind: 'resumed', ancestor: genesis }).chain
    expect(moveChain(again, committed(blocks)).apply).toHaveLength(3)
  })

  test('finality never moves back, follows only our chain, and reaches the tip of a catch-up', () => {
    const blocks = fork(genesis, 6)
    const chain = chainOf(blocks, 10, blocks[3]!.ref)
    const heads = (finalized: BlockRef) => moveChain(chain, { kind: 'heads', finalized }).chain.finalized
    expect(heads(blocks[1]!.ref), 'back').toEqual(blocks[3]!.ref)
    expect(heads(blocks[5]!.ref), 'forward').toEqual(blocks[5]!.ref)
    expect(heads({ ...blocks[4]!.ref, hash: genesis.hash }), 'another fork').toEqual(blocks[3]!.ref)
    expect(heads({ number: 90n, hash: genesis.hash }), 'heard above our tip').toEqual(blocks[3]!.ref)
    const behind = {
      kind: 'committed',
      blocks,
      ...facts({ number: 99n, hash: genesis.hash }, { number: 90n, hash: genesis.hash }),
    } as const
    expect(moveChain(start(), { ...behind, source: 'catchUp' }).chain.finalized, 'sent with our tip').toEqual(
      blocks[5]!.ref,
    )
  })

  test('a block further back than can be undone is final when the node says so, after a reorg as well', () => {
    const blocks = fork(genesis, 100)
    const chain = chainOf(blocks, 8)
    const final = blocks[20]!.ref
    expect(canonicalAt(chain, final.number), 'out of the window').toBeUndefined()
    const told = moveChain(chain, { kind: 'heads', finalized: final }).chain
    expect(told.finalized).toEqual(final)
    expect(
      moveChain(told, { kind: 'heads', finalized: blocks[10]!.ref }).chain.finalized,
      'never back',
    ).toEqual(final)
  })

  test('where the node has no finalized block, one a set depth below our tip stands in', () => {
    const blocks = fork(genesis, 9)
    const chain = moveChain(createChain([genesis], 10, undefined, 4n), committed(blocks)).chain
    expect(chain.finalized).toEqual(blocks[4]!.ref)
    const told = moveChain(createChain([genesis], 10, undefined, 4n), committed(blocks, blocks[1]!.ref)).chain
    expect(told.finalized, 'what the node says goes first').toEqual(blocks[1]!.ref)
  })

  test('any walk of commits, reorgs and reverts leaves the canonical chain', () => {
    const verb = fc.record({ back: fc.nat(6), forward: fc.nat(4), repeat: fc.boolean() })
    fc.assert(
      fc.property(fc.array(verb, { maxLength: 60 }), (verbs) => {
        let model: Block[] = []
        let chain = start(6)
        const applied: BlockRef[] = []
        verbs.forEach(({ back, forward, repeat }, step) => {
          const depth = Math.min(back, model.length)
          const kept = model.slice(0, model.length - depth)
          const undone = model.slice(model.length - depth)
          const added = fork(kept.at(-1)?.ref ?? genesis, forward, `${step}`)
          if (undone.length === 0 && added.length === 0) return
          const input =
            undone.length === 0
              ? committed(added)
              : added.length === 0
                ? reverted(undone)
                : reorged(undone, added)
          model = [...kept, ...added]
          for (let i = 0; i < (repeat ? 2 : 1); i++) {
            const move = moveChain(chain, input)
            for (const ref of move.undo) expect(applied.pop()).toEqual(ref)
            applied.push(...refs(move.apply))
            chain = move.chain
          }
        })
        expect(applied).toEqual(refs(model))
        expect(chainTip(chain)).toEqual(model.at(-1)?.ref ?? genesis)
      }),
    )
  })
})
