import pino from 'pino'
import { describe, expect, test, vi } from 'vitest'
import type { VectorEntry } from '#vector'
import {
  createOutboxPump,
  type OutboxQueue,
  type OutboxSink,
  OutboxStalledError,
} from '../../../sidecar/outbox/outboxPump.ts'
import { decodePayload, encodePayload } from '../../../sidecar/outbox/payload.ts'
import type { OutboxEntry } from '../../../sidecar/watermark/types.ts'
import { genesis } from '../../support/chain.ts'

const logger = pino({ level: 'silent' })

/** A queue in memory with the promises of the one on disk. */
function memoryQueue() {
  let entries: OutboxEntry[] = []
  let sequence = 0
  const queue: OutboxQueue = {
    readOutbox(limitRows) {
      let rows = 0
      return entries.filter((entry) => {
        const isTaken = rows < limitRows
        rows += entry.rows
        return isTaken
      })
    },
    deleteOutbox: (upTo) => {
      entries = entries.filter((entry) => entry.sequence > upTo)
    },
    patternsPending: () => entries.length > 0,
    outboxRows: () => entries.reduce((sum, entry) => sum + entry.rows, 0),
  }
  const push = (number: bigint, rows = 1) => {
    const payload = encodePayload({ kind: 'finalized', number })
    entries.push({ sequence: ++sequence, block: genesis, kind: 'finalized', payload, rows })
  }
  return { queue, push }
}

/** A sink that keeps the numbers it was given and fails while `failing` says so. */
function recordingSink() {
  const seen: bigint[] = []
  const state = { failing: false, seen }
  const sink: OutboxSink = {
    async apply(entries) {
      await Promise.resolve()
      if (state.failing) throw new Error('no space')
      for (const entry of entries) if (entry.kind === 'finalized') seen.push(entry.number)
    },
    patternsAt: async (boundary) => [{ boundary } as never],
  }
  return { sink, state }
}

const options = { limitRows: 4, batchRows: 2, retryMinMs: 1, retryMaxMs: 2 }

describe('outbox pump', () => {
  test('carries entries in order and deletes them after the store has them', async () => {
    const { queue, push } = memoryQueue()
    const { sink, state } = recordingSink()
    const pump = createOutboxPump(queue, sink, options, { logger })
    for (let n = 1n; n <= 7n; n++) push(n)
    await pump.patternsAt(5n)
    expect(state.seen).toEqual([1n, 2n, 3n, 4n, 5n, 6n, 7n])
    expect(queue.outboxRows()).toBe(0)
    await pump.close()
  })

  test('lets entries gather between writes, until somebody waits for them', async () => {
    const { queue, push } = memoryQueue()
    const { sink, state } = recordingSink()
    const writes: number[] = []
    const counted: OutboxSink = {
      ...sink,
      apply: async (entries) => {
        writes.push(entries.length)
        await sink.apply(entries)
      },
    }
    // Longer than any test may take: only what presses ends the gap.
    const pump = createOutboxPump(
      queue,
      counted,
      { limitRows: 100, batchRows: 10, writeGapMs: 3_600_000 },
      { logger },
    )
    push(1n)
    pump.wake()
    await vi.waitFor(() => expect(writes).toEqual([1]))
    for (let n = 2n; n <= 4n; n++) {
      push(n)
      pump.wake()
    }
    await new Promise((resolve) => setImmediate(resolve))
    expect(writes).toEqual([1])
    await pump.drained()
    expect(writes).toEqual([1, 3])
    for (let n = 5n; n <= 14n; n++) {
      push(n)
      pump.wake()
    }
    await vi.waitFor(() => expect(writes).toEqual([1, 3, 10]))
    push(15n)
    pump.wake()
    await pump.close()
    expect(state.seen).toEqual(Array.from({ length: 14 }, (_, index) => BigInt(index + 1)))
  })

  test('has no room past the limit until half of it is carried', async () => {
    const { queue, push } = memoryQueue()
    const { sink } = recordingSink()
    const pump = createOutboxPump(queue, sink, options, { logger })
    for (let n = 1n; n <= 3n; n++) push(n)
    expect(pump.room()).toBeUndefined()
    push(4n)
    await pump.room()
    expect(queue.outboxRows()).toBeLessThanOrEqual(2)
    await pump.close()
  })

  test('repeats a refused batch until it is taken, losing nothing', async () => {
    const { queue, push } = memoryQueue()
    const { sink, state } = recordingSink()
    const pump = createOutboxPump(queue, sink, options, { logger })
    state.failing = true
    for (let n = 1n; n <= 5n; n++) push(n)
    await expect(pump.patternsAt(1n)).rejects.toThrow(OutboxStalledError)
    expect(pump.problem()).toBe('no space')
    expect(queue.outboxRows()).toBe(5)
    state.failing = false
    await pump.room()
    await expect.poll(() => state.seen, { timeout: 15_000 }).toEqual([1n, 2n, 3n, 4n, 5n])
    expect(pump.problem()).toBeUndefined()
    await pump.close()
  })

  test('closing leaves what is not carried on the queue', async () => {
    const { queue, push } = memoryQueue()
    const { sink, state } = recordingSink()
    const pump = createOutboxPump(queue, sink, options, { logger })
    for (let n = 1n; n <= 6n; n++) push(n)
    pump.wake()
    await pump.close()
    expect(BigInt(state.seen.length + queue.outboxRows())).toBe(6n)
    pump.wake()
    expect(state.seen.length).toBeLessThan(6)
  })
})

describe('outbox payload', () => {
  test('round-trips bigints, empty lists and absent fields', () => {
    const payloads: VectorEntry[] = [
      { kind: 'finalized', number: 2n ** 60n },
      { kind: 'undo', blocks: [genesis] },
      { kind: 'patterns', boundary: 16n, upsert: [], remove: ['00'] },
    ]
    for (const payload of payloads) expect(decodePayload(encodePayload(payload))).toEqual(payload)
  })
})
