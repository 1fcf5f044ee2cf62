import { describe, expect, test } from 'vitest'
import { createScriptedFeed } from '../../../harness/feed/index.ts'
import { LiveRing } from '../../../sidecar/exex/server/liveRing.ts'

function ringOf(limits: { ringBlocks: number; ringBytes: number }) {
  const feed = createScriptedFeed()
  const ring = new LiveRing(feed.head, limits)
  const follows: boolean[] = []
  feed.subscribe((event) => void follows.push(ring.push(event)))
  return { feed, ring, follows }
}

describe('the live ring', () => {
  test('keeps its bounds in blocks and in bytes, dropping the oldest', () => {
    const { feed, ring } = ringOf({ ringBlocks: 5, ringBytes: 1 << 20 })
    feed.commit(12)
    expect(ring.blocks).toBe(5)
    expect(ring.end - ring.start).toBe(5)
    expect(ring.at(ring.start)?.tip.number).toBe(8n)
    const tight = ringOf({ ringBlocks: 100, ringBytes: 1 })
    tight.feed.commit(3)
    expect(tight.ring.bytes).toBe(0)
  })

  test('knows where a consumer continues, as far back as it reaches', () => {
    const { feed, ring } = ringOf({ ringBlocks: 5, ringBytes: 1 << 20 })
    feed.commit(12)
    const [six, seven] = [feed.canonical[6]!, feed.canonical[7]!]
    expect(ring.positionAfter(six.hash)).toBeUndefined()
    expect(ring.at(ring.positionAfter(seven.hash)!)?.tip.number).toBe(8n)
    expect(ring.positionAfter(feed.head.hash)).toBe(ring.end)
  })

  test('continues after the latest time the chain stood at a tip', () => {
    const { feed, ring } = ringOf({ ringBlocks: 50, ringBytes: 1 << 20 })
    feed.commit(3)
    const two = feed.canonical[2]!
    feed.revert(1)
    expect(ring.positionAfter(two.hash)).toBe(ring.end)
    feed.commit(1)
    expect(ring.at(ring.positionAfter(two.hash)!)?.tip).toEqual(feed.head)
  })

  test('starts anew at an event that does not follow, and no old position is good any more', () => {
    const { feed, ring, follows } = ringOf({ ringBlocks: 50, ringBytes: 1 << 20 })
    feed.commit(6)
    const old = ring.end
    feed.commitOnAncestor(2, 1)
    expect(follows).toEqual([true, false])
    expect(ring.start).toBeGreaterThan(old)
    expect(ring.positionAfter(feed.canonical[4]!.hash)).toBe(ring.start)
    expect(ring.tip).toEqual(feed.head)
  })

  test('holds a long chain without keeping what it dropped', () => {
    const { feed, ring } = ringOf({ ringBlocks: 3, ringBytes: 1 << 20 })
    for (let i = 0; i < 5000; i++) feed.commit(1)
    expect(ring.blocks).toBe(3)
    expect(ring.positionAfter(feed.canonical[4990]!.hash)).toBeUndefined()
    expect(ring.positionAfter(feed.canonical[4998]!.hash)).toBe(ring.end - 2)
  })
})
