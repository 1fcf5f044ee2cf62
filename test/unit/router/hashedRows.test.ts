import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { StateWrite } from '../../../sidecar/notification/stateWrite.ts'
import { HashedRows } from '../../../sidecar/router/hashedRows.ts'
import { hex } from './support/tables.ts'

const WIDTH = 4
const VALUE = 2

/** Sixteen rows in four buckets: small enough that things meet. */
const open = () => new HashedRows(7, 4, WIDTH)

function learn(
  rows: HashedRows,
  block: number,
  things: readonly (readonly [number, number])[],
): StateWrite[] {
  for (const [bucket, tag] of things) rows.floats[rows.claim(bucket, tag, block) + VALUE]! += tag
  const writes: StateWrite[] = []
  rows.flush(writes)
  return writes
}

test('a thing is found with what was learnt of it, and nothing of another tag or bucket', () => {
  const rows = open()
  learn(rows, 1, [
    [3, 100],
    [3, 100],
    [3, 101],
  ])
  expect(rows.floats[rows.find(3, 100) + VALUE]).toBe(200)
  expect(rows.floats[rows.find(3, 101) + VALUE]).toBe(101)
  expect([rows.find(3, 102), rows.find(2, 100)]).toEqual([-1, -1])
})

test('in a full bucket the one learnt least recently gives way', () => {
  const rows = open()
  for (const [block, tag] of [10, 11, 12, 13].entries()) learn(rows, block + 1, [[0, tag]])
  learn(rows, 5, [[0, 10]])
  learn(rows, 6, [[0, 14]])
  expect([10, 11, 12, 13, 14].map((tag) => rows.find(0, tag) >= 0)).toEqual([true, false, true, true, true])
  expect(rows.floats[rows.find(0, 14) + VALUE], 'nothing of the one before is left').toBe(14)
})

test('every changed row is written once, with what it was, and undoing the writes leaves what was', () => {
  const things = fc.array(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 1, max: 9 })), {
    maxLength: 12,
  })
  fc.assert(
    fc.property(fc.array(things, { maxLength: 12 }), fc.nat(12), (blocks, kept) => {
      const rows = open()
      const durable = new Map<string, Uint8Array>()
      const states: string[] = []
      const undo: StateWrite[][] = []
      const state = () => hex(new Uint8Array(rows.words.buffer.slice(0)))
      blocks.forEach((block, number) => {
        states.push(state())
        const writes = learn(rows, number + 1, block)
        expect(new Set(writes.map(({ key }) => hex(key))).size, 'keys').toBe(writes.length)
        for (const { key, before, after } of writes) {
          expect(hex(before)).toBe(hex(durable.get(hex(key))))
          durable.set(hex(key), Uint8Array.from(after!))
        }
        undo.push(writes)
      })
      const loaded = open()
      for (const [key, value] of durable) expect(loaded.put(Buffer.from(key, 'hex'), value)).toBe(true)
      expect(hex(new Uint8Array(loaded.words.buffer)), 'loaded').toBe(state())
      for (let number = blocks.length - 1; number >= kept; number--) {
        for (const { key, before } of undo[number]!.reverse()) rows.put(key, before)
        expect(state(), `undone to ${number}`).toBe(states[number])
      }
    }),
  )
})

test('rows that are no rows of it are refused', () => {
  const rows = open()
  expect(rows.put(Uint8Array.of(7, 0, 0, 16), new Uint8Array(16)), 'a row too many').toBe(false)
  expect(rows.put(Uint8Array.of(7, 0, 0, 1), new Uint8Array(15)), 'a value too short').toBe(false)
  expect(rows.put(Uint8Array.of(7, 0, 1), new Uint8Array(16)), 'a key too short').toBe(false)
})
