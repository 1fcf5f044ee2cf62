import { concatMap, from, map } from 'rxjs'
import { describe, expect, test } from 'vitest'
import type { BlockRef } from '../../../sidecar/notification/types.ts'
import { type Committing, commitGroups } from '../../../sidecar/watermark/commitGroups.ts'
import type { BlockEffects, Effects } from '../../../sidecar/watermark/types.ts'
import { fork, genesis } from '../../support/chain.ts'
import { withMarbles } from '../../support/marbles.ts'

const blocks = fork(genesis, 4).map((block) => block.ref)
const applied = (ref: BlockRef) => ({ type: 'applied' as const, effects: { block: ref } as BlockEffects })
const processed = (finalized?: BlockRef) => ({ type: 'processed' as const, step: { chain: { finalized } } })
const changes = {
  a: applied(blocks[0]!),
  b: applied(blocks[1]!),
  c: applied(blocks[2]!),
  u: { type: 'undone' as const, blocks: [blocks[0]!], outbox: [] },
  p: processed(),
  f: processed(blocks[0]!),
  w: { type: 'flush' as const },
}

/** A store that keeps what it was given, one list a commit. */
function recordingStore() {
  const groups: string[][] = []
  let staged: Effects[] = []
  const store: Committing = {
    stage: (effects) => staged.push(effects),
    commit() {
      groups.push(staged.map((effects) => describeEffects(effects)))
      staged = []
      return blocks[0]
    },
  }
  return { groups, store }
}

function describeEffects(effects: Effects): string {
  if (effects.undo.length > 0) return `undo ${effects.undo.length}`
  if (effects.apply.length > 0) return `apply #${effects.apply[0]!.block.number}`
  return `final #${effects.finalized?.number}`
}

describe('commitGroups', () => {
  /** Each letter of `source` is a whole list of changes; what comes out is told as words. */
  const run = (
    source: string,
    letters: Record<string, readonly (typeof changes)[keyof typeof changes][]>,
    expected: string,
    words: Record<string, string>,
    policy = { maxBlocks: 10, maxDelayMs: 5 },
    stop?: string,
  ) => {
    const { groups, store } = recordingStore()
    withMarbles(({ hot, expectObservable }, scheduler) => {
      const out = hot(source, letters).pipe(
        concatMap((list) => from(list)),
        commitGroups(store, { ...policy, scheduler }),
        map((event) => event.type as string),
      )
      expectObservable(out, stop).toBe(expected, words)
    })
    return groups
  }
  const { a, b, c, u, p, f, w } = changes
  const words = { a: 'applied', u: 'undone', p: 'processed', D: 'durable' }

  test('commits a quiet chain at once', () => {
    const groups = run('-x---------y----|', { x: [a, p], y: [b, p] }, '-(apD)-----(apD)|', words)
    expect(groups).toEqual([['apply #1'], ['apply #2']])
  })

  test('groups blocks that come faster than the delay', () => {
    // The first commits at 1 ms; what comes after it waits until 1 + 20 ms.
    const policy = { maxBlocks: 10, maxDelayMs: 20 }
    const source = '  -x----y----z------------|'
    const expected = '-(apD)(ap)-(ap)------D--|'
    const groups = run(source, { x: [a, p], y: [b, p], z: [c, p] }, expected, words, policy)
    expect(groups).toEqual([['apply #1'], ['apply #2', 'apply #3']])
  })

  test('commits when a group is full, whatever the delay', () => {
    const policy = { maxBlocks: 2, maxDelayMs: 1000 }
    const groups = run('-x----y-----|', { x: [a, p], y: [b, c, p] }, '-(apD)(aaDp)|', words, policy)
    expect(groups).toEqual([['apply #1'], ['apply #2', 'apply #3']])
  })

  test('an undo and its redo are one transaction', () => {
    const policy = { maxBlocks: 1, maxDelayMs: 5 }
    const groups = run('-x-------|', { x: [u, a, b, c, p] }, '-(uaaapD)|', words, policy)
    expect(groups).toEqual([['undo 1', 'apply #1', 'apply #2', 'apply #3']])
  })

  test('flush commits at once, even between an undo and its redo, and is not passed on', () => {
    const groups = run('-x---------y----|', { x: [u, a, w], y: [b, p] }, '-(uaD)-----(apD)|', words)
    expect(groups).toEqual([['undo 1', 'apply #1'], ['apply #2']])
  })

  test('a finalized block is made durable once', () => {
    const groups = run('-x--------y--|', { x: [f], y: [f] }, '-(pD)-----p--|', words)
    expect(groups).toEqual([['final #1']])
  })

  test('commits what is staged when the source completes', () => {
    const policy = { maxBlocks: 10, maxDelayMs: 50 }
    const groups = run('-x----y----|', { x: [a, p], y: [b, p] }, '-(apD)(ap)-(D|)', words, policy)
    expect(groups).toEqual([['apply #1'], ['apply #2']])
  })

  test('commits nothing of half a reorg whose source failed, and passes the error on', () => {
    const groups = run('-x---------y---#', { x: [a, p], y: [u, b] }, '-(apD)-----(ua)#', words)
    expect(groups).toEqual([['apply #1']])
  })

  test('commits whole blocks before a source error', () => {
    const policy = { maxBlocks: 10, maxDelayMs: 50 }
    const groups = run('-x----y---#', { x: [a, p], y: [b, p] }, '-(apD)(ap)(D#)', words, policy)
    expect(groups).toEqual([['apply #1'], ['apply #2']])
  })

  test('an early unsubscribe leaves no timer that commits later', () => {
    const policy = { maxBlocks: 10, maxDelayMs: 20 }
    const groups = run(
      '-x----y 100ms |',
      { x: [a, p], y: [b, p] },
      '-(apD)(ap)',
      words,
      policy,
      '-----------!',
    )
    expect(groups).toEqual([['apply #1']])
  })

  test('a store that fails ends the stream with its error', () => {
    const failing: Committing = {
      stage() {},
      commit() {
        throw new Error('disk full')
      },
    }
    withMarbles(({ hot, expectObservable }, scheduler) => {
      const out = hot('-(ap)', changes).pipe(
        commitGroups(failing, { maxBlocks: 1, maxDelayMs: 0, scheduler }),
        map((event) => event.type as string),
      )
      expectObservable(out).toBe('-(a#)', words, new Error('disk full'))
    })
  })
})
