import { describe, expect, test } from 'vitest'
import { type ChainInput, canonicalAt, createChain, moveChain } from '../../sidecar/notification/chain.ts'
import { createReceivedChain } from '../../sidecar/receivedChain.ts'
import { committed, fork, genesis, refs, reorged } from '../support/chain.ts'

/** What was received on top of genesis, `undoDepth` blocks of it to be undone. */
function incoming(undoDepth: number, start = createChain([genesis], undoDepth, undefined)) {
  const chain = createReceivedChain(start)
  return { ...chain, take: (input: ChainInput) => chain.received(moveChain(chain.chain(), input)) }
}

describe('a block that is applied may be told of', () => {
  test('when it is of the chain as received', () => {
    const blocks = fork(genesis, 4)
    const chain = incoming(10)
    chain.take(committed(blocks))
    for (const ref of refs(blocks)) expect(chain.holds(ref), `${ref.number}`).toBe(true)
  })

  test('not when a resume took it back, and a later session begins above it', () => {
    const old = fork(genesis, 6)
    const next = fork(old[2]!.ref, 8, 'b')
    const chain = incoming(10)
    chain.take(committed(old))
    // The first session ends; in the next one the server never sends what the node has left.
    chain.take({ kind: 'resumed', ancestor: old[2]!.ref })
    expect(chain.holds(old[4]!.ref), 'nothing came in its place yet').toBe(false)
    chain.take(committed(next))
    // A third session begins at the tip: block 5 lies below all that it carries.
    chain.take({ kind: 'resumed', ancestor: next.at(-1)!.ref })
    expect(chain.holds(old[4]!.ref)).toBe(false)
    expect(chain.holds(old[2]!.ref), 'the ancestor').toBe(true)
    expect(chain.holds(next[1]!.ref), 'what came in its place').toBe(true)
  })

  test('not when it was undone within the session', () => {
    const old = fork(genesis, 4)
    const chain = incoming(10)
    chain.take(committed(old))
    chain.take(reorged(old.slice(2), fork(old[1]!.ref, 3, 'b')))
    expect(chain.holds(old[3]!.ref)).toBe(false)
  })

  test('not while its undo is queued, even where what was received since is more than can be undone', () => {
    const old = fork(genesis, 6)
    const next = fork(old[2]!.ref, 100, 'b')
    const chain = incoming(8)
    chain.take(committed(old))
    chain.processed()
    chain.take(reorged(old.slice(3), next))
    expect(canonicalAt(chain.chain(), old[4]!.ref.number), 'out of the window').toBeUndefined()
    expect(chain.holds(old[4]!.ref)).toBe(false)
    expect(chain.holds(old[2]!.ref), 'below the fork').toBe(true)
    chain.processed()
    expect(chain.holds(next[1]!.ref)).toBe(true)
  })

  test('when nothing queued takes it back, and where nothing was received', () => {
    const blocks = fork(genesis, 100)
    const chain = incoming(10)
    chain.take(committed(blocks))
    const early = blocks[3]!.ref
    expect(canonicalAt(chain.chain(), early.number), 'out of the window').toBeUndefined()
    expect(chain.holds(early)).toBe(true)
    expect(incoming(10, createChain([], 10, undefined)).holds(early)).toBe(true)
  })
})
