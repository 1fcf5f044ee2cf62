import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { HarnessError } from '../../../../harness/errors.ts'
import { createReplayChain, type ReplayEvent } from '../../../../harness/replay/createReplayChain.ts'
import { routerAddress } from '../../../../harness/svm/encodeEnvelope.ts'
import type { Block } from '../../../../sidecar/notification/types.ts'
import { syntheticRecording } from './syntheticRecording.ts'

const collect = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}
const rowsOf = (block: Block): string[] =>
  Array.from({ length: block.transactions.count }, (_, row) =>
    Buffer.from(block.transactions.hashes.subarray(32 * row, 32 * row + 32)).toString('hex'),
  )
/** What a consumer that undoes and applies ends up with. */
const canonicalOf = (events: readonly ReplayEvent[]): Block[] => {
  const chain: Block[] = []
  for (const { undo, blocks, parent } of events) {
    for (const ref of [...undo].reverse()) expect(chain.pop()!.ref).toEqual(ref)
    if (chain.length > 0) expect(chain.at(-1)!.ref).toEqual(parent)
    chain.push(...blocks)
  }
  return chain
}
const isEnvelope = (block: Block, row: number): boolean =>
  Buffer.from(block.transactions.to.subarray(20 * row, 20 * row + 20)).equals(routerAddress)

describe('createReplayChain', () => {
  test('chains the recorded blocks anew over several passes, origins kept, no transaction twice', async () => {
    const chain = await createReplayChain(syntheticRecording(10, 6), { repeat: 3 })
    const blocks = await collect(chain.blocks(1n))
    expect(blocks).toHaveLength(30)
    let parent = { ref: chain.genesis, timestamp: 0n }
    for (const block of blocks) {
      expect(block.parent, `parent of ${block.ref.number}`).toEqual(parent.ref)
      expect(block.ref.number).toBe(parent.ref.number + 1n)
      expect(block.timestamp, `time of ${block.ref.number}`).toBeGreaterThan(parent.timestamp)
      parent = block
    }
    expect(blocks[1]!.origin).toBe('mainnet:1000037')
    expect(blocks[21]!.origin).toBe('mainnet:1000037#3')
    expect(new Set(blocks.flatMap(rowsOf)).size).toBe(180)
    expect(new Set(blocks.map(({ ref }) => ref.hash)).size).toBe(30)
  })

  test('mixes in the share of envelopes asked for, the same every time', async () => {
    const options = { repeat: 5, svmShare: 0.25, seed: 9 }
    const blocks = await collect((await createReplayChain(syntheticRecording(10, 10), options)).blocks(1n))
    const all = blocks.reduce((sum, block) => sum + block.transactions.count, 0)
    const envelopes = blocks.reduce(
      (sum, block) => sum + rowsOf(block).filter((_, row) => isEnvelope(block, row)).length,
      0,
    )
    expect(envelopes / all).toBeCloseTo(0.25, 2)
    const again = await collect((await createReplayChain(syntheticRecording(10, 10), options)).blocks(1n))
    expect(again).toEqual(blocks)
    const other = await createReplayChain(syntheticRecording(10, 10), { ...options, seed: 10 })
    expect((await collect(other.blocks(1n))).at(-1)!.ref).not.toEqual(blocks.at(-1)!.ref)
  })

  test('with a share of 1 holds nothing but envelopes', async () => {
    const chain = await createReplayChain(syntheticRecording(4, 10), { svmShare: 1 })
    for (const block of await collect(chain.blocks(1n))) {
      expect(block.transactions.count).toBe(10)
      expect(rowsOf(block).every((_, row) => isEnvelope(block, row))).toBe(true)
    }
  })

  test.each([
    { reorgEvery: 5, reorgDepth: 1 },
    { reorgEvery: 4, reorgDepth: 3 },
    { reorgEvery: 9, reorgDepth: 4 },
  ])('forks come and go and leave the canonical chain as it is: %o', async (reorgs) => {
    const options = { repeat: 4, svmShare: 0.3 }
    const plain = await collect((await createReplayChain(syntheticRecording(10, 8), options)).blocks(1n))
    const chain = await createReplayChain(syntheticRecording(10, 8), { ...options, ...reorgs })
    const events = await collect(chain.events(0n))
    expect(canonicalOf(events)).toEqual(plain)
    const undone = events.flatMap(({ undo }) => undo)
    expect(undone.length).toBeGreaterThan(0)
    expect(
      events.filter(({ undo }) => undo.length > 0).every(({ undo }) => undo.length === reorgs.reorgDepth),
    ).toBe(true)
    // As many blocks were forks as were undone, and none of them is canonical.
    const forks = events.filter(({ fork }) => fork).flatMap(({ blocks }) => blocks)
    expect(forks.map(({ ref }) => ref)).toEqual(undone)
    const canonical = new Set(plain.map(({ ref }) => ref.hash))
    for (const { hash } of undone) expect(canonical.has(hash)).toBe(false)
  })

  test('part of a fork appears again, part of it never', async () => {
    const chain = await createReplayChain(syntheticRecording(20, 12), {
      repeat: 3,
      svmShare: 0.4,
      reorgEvery: 6,
      reorgDepth: 2,
    })
    const events = await collect(chain.events(0n))
    const canonical = new Set(canonicalOf(events).flatMap(rowsOf))
    const counts = { envelopes: { again: 0, never: 0 }, others: { again: 0, never: 0 } }
    for (const block of events.filter(({ fork }) => fork).flatMap(({ blocks }) => blocks)) {
      rowsOf(block).forEach((hash, row) => {
        const of = isEnvelope(block, row) ? counts.envelopes : counts.others
        of[canonical.has(hash) ? 'again' : 'never'] += 1
      })
    }
    expect(counts.envelopes.again).toBeGreaterThan(0)
    expect(counts.envelopes.never).toBeGreaterThan(0)
    expect(counts.others.again).toBeGreaterThan(0)
  })

  test('envelopes of a fork are signed on hashes from before it', async () => {
    const chain = await createReplayChain(syntheticRecording(20, 12), {
      svmShare: 0.5,
      reorgEvery: 6,
      reorgDepth: 4,
    })
    const events = await collect(chain.events(0n))
    const forks = events.filter(({ fork }) => fork).flatMap(({ blocks }) => blocks)
    const forkHashes = new Set(forks.map(({ ref }) => ref.hash.slice(2)))
    const later = new Set(canonicalOf(events).map(({ ref }) => ref.hash.slice(2)))
    for (const fork of forks) {
      const base = fork.ref.number - ((fork.ref.number - 1n) % 6n) - 1n
      const before = new Set(
        canonicalOf(events)
          .filter(({ ref }) => ref.number <= base)
          .map(({ ref }) => ref.hash.slice(2)),
      )
      const text = Buffer.from(fork.transactions.inputs).toString('hex')
      for (const hash of forkHashes)
        expect(text.includes(hash), `fork hash in ${fork.ref.number}`).toBe(false)
      for (const hash of later) {
        if (!before.has(hash))
          expect(text.includes(hash), `hash after ${base} in ${fork.ref.number}`).toBe(false)
      }
    }
  })

  test('goes on after any block as it would have', async () => {
    const options = { repeat: 130, svmShare: 0.02, reorgEvery: 50, reorgDepth: 3 }
    const chain = await createReplayChain(syntheticRecording(10, 4), options)
    const all = await collect(chain.events(0n))
    const canonical = canonicalOf(all)
    for (const after of [1n, 511n, 512n, 777n, 1299n, 1300n]) {
      const fresh = await createReplayChain(syntheticRecording(10, 4), options)
      for (const one of [chain, fresh]) {
        const rest = await collect(one.events(after))
        expect(rest.flatMap(({ blocks }) => blocks).at(-1)?.ref, `after ${after}`).toEqual(
          after === 1300n ? undefined : canonical.at(-1)!.ref,
        )
        expect((await collect(one.blocks(after)))[0], `block ${after}`).toEqual(canonical[Number(after) - 1])
      }
    }
  })

  test('refuses options that cannot be, all at once', async () => {
    const made = createReplayChain(syntheticRecording(1, 1), {
      repeat: 0,
      svmShare: 2,
      reorgEvery: 3,
      reorgDepth: 3,
    })
    await expect(made).rejects.toThrow(HarnessError)
    await expect(made).rejects.toThrow(/repeat: .*; svmShare: .*; reorgDepth: /)
  })

  test('holds no more memory after 20 000 blocks than after 5 000', { timeout: 120_000 }, async () => {
    setFlagsFromString('--expose-gc')
    const collectGarbage = runInNewContext('gc') as () => void
    const held = () => {
      // Twice: what the first one finds to be finalized is freed by the second.
      collectGarbage()
      collectGarbage()
      const { heapUsed, arrayBuffers } = process.memoryUsage()
      return heapUsed + arrayBuffers
    }
    const chain = await createReplayChain(syntheticRecording(50, 20), {
      repeat: 400,
      reorgEvery: 100,
      reorgDepth: 5,
    })
    let blocks = 0
    let early = 0
    for await (const event of chain.events(0n)) {
      if (event.fork) continue
      for (const _ of event.blocks) if (++blocks === 5000) early = held()
    }
    expect(blocks).toBe(20_000)
    // Hashes grow by 0.5 MB over 15 000 blocks, and the engine's own by up to 9; kept blocks would be 70 MB.
    expect(held() - early).toBeLessThan(25_000_000)
  })
})
