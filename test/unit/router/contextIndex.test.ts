import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ContextIndex, MAX_NEIGHBOURS, POSTINGS } from '../../../sidecar/router/contextIndex.ts'
import { createSnapshot, readSnapshot, sizesOf } from '../../../sidecar/router/contextSnapshot.ts'
import { createDecay } from '../../../sidecar/router/decay.ts'
import { KEY_WORDS, patternId } from '../../../sidecar/router/patternKey.ts'
import { hammingDistance, writeSketch } from '../../../sidecar/router/sketch.ts'
import type { PatternRow } from '../../../sidecar/router/types.ts'

const decay = createDecay(10)
const facts = { boundary: 100, start: 1, limit: 1000, decay }

const row = fc
  .record({
    contract: fc.nat(5),
    selector: fc.nat(12),
    svm: fc.boolean(),
    boundary: fc.integer({ min: 60, max: 100 }),
    succeeded: fc.nat(100),
    failed: fc.nat(3),
    gasLimit: fc.nat(5_000_000),
    calldataBytes: fc.nat(4000),
    valueLog2: fc.nat(80),
  })
  .map(
    ({ contract, selector, svm, succeeded, failed, boundary, ...sizes }): PatternRow => ({
      id:
        contract.toString(16).padStart(40, '0') +
        selector.toString(16).padStart(8, '0') +
        (svm ? '01' : '00'),
      svm,
      boundary: BigInt(boundary),
      evmSucceeded: svm ? 0 : succeeded,
      evmFailed: svm ? 0 : failed,
      svmExecuted: svm ? succeeded : 0,
      svmFailed: svm ? failed : 0,
      computeUnits: 0,
      ...sizes,
    }),
  )
const rows = fc.uniqueArray(row, { selector: ({ id }) => id, maxLength: 120 })

/** What a search must find, the slow way. */
function expected(stored: Uint8Array, key: Uint32Array, limit: number): number[] {
  const snapshot = readSnapshot(stored)
  const at = (rank: number, word: number) => snapshot.keys[rank * KEY_WORDS + word]!
  const sketch = (rank: number) => {
    const into = new Int32Array(4)
    writeSketch({ keys: snapshot.keys, at: rank * KEY_WORDS, ...sizesOf(snapshot, rank) }, into, 0)
    return into
  }
  const all = Array.from({ length: snapshot.count }, (_, rank) => rank)
  const sameDomain = all.filter((rank) => at(rank, 6) === key[6])
  const sameContract = sameDomain.filter((rank) =>
    [0, 1, 2, 3, 4].every((word) => at(rank, word) === key[word]),
  )
  const sameSelector = sameDomain.filter((rank) => at(rank, 5) === key[5])
  const own = sameContract.find((rank) => sameSelector.includes(rank))
  const query = own === undefined ? new Int32Array(4) : sketch(own)
  const unsized = { keys: key, at: 0, gasQuarters: -1, calldataQuarters: -1, valueBits: -1 }
  if (own === undefined) writeSketch(unsized, query, 0)
  const others = new Set([...sameContract.slice(0, POSTINGS), ...sameSelector.slice(0, POSTINGS)])
  if (own !== undefined) others.delete(own)
  const ranked = [...others]
    .map((rank) => ({ rank, distance: hammingDistance(query, 0, sketch(rank), 0) }))
    .sort((a, b) => a.distance - b.distance || a.rank - b.rank)
    .map(({ rank }) => rank)
  return (own === undefined ? ranked : [own, ...ranked]).slice(0, limit)
}

test('finds exactly the nearest rows of the same contract or selector, its own first', () => {
  fc.assert(
    fc.property(rows, row, fc.integer({ min: 1, max: MAX_NEIGHBOURS }), (table, wanted, limit) => {
      const stored = createSnapshot(table, facts)
      const key = new Uint32Array(KEY_WORDS)
      new Uint8Array(key.buffer).set(Buffer.from(wanted.id, 'hex'))
      const result = { ranks: new Int32Array(limit + 2).fill(-7), own: false, succeeded: 0, outcomes: 0 }
      const found = new ContextIndex(stored).search(key, 0, limit, result, 1)
      expect([...result.ranks.subarray(1, 1 + found)]).toEqual(expected(stored, key, limit))
      expect(result.own).toBe(table.some(({ id }) => id === wanted.id && readable(stored, id)))
      expect([result.ranks[0], result.ranks[limit + 1]], 'nothing is written beside').toEqual([-7, -7])
      expect(result.succeeded).toBeLessThanOrEqual(result.outcomes)
    }),
  )
})

test('keeps the rows with most evidence as of the boundary, whatever order they come in', () => {
  fc.assert(
    fc.property(rows, fc.integer({ min: 1, max: 50 }), (table, limit) => {
      const stored = createSnapshot(table, { ...facts, limit })
      expect(Buffer.compare(stored, createSnapshot([...table].reverse(), { ...facts, limit }))).toBe(0)
      const evidence = (row: PatternRow) =>
        (row.evmSucceeded + row.evmFailed + row.svmExecuted + row.svmFailed) *
        decay(100 - Number(row.boundary))
      const strongest = table
        .filter((row) => evidence(row) >= 2 ** -20)
        .sort((a, b) => evidence(b) - evidence(a) || (a.id < b.id ? -1 : 1))
        .slice(0, limit)
      const { keys, count } = readSnapshot(stored)
      const bytes = new Uint8Array(keys.buffer)
      const ids = Array.from({ length: count }, (_, rank) => patternId(bytes, keys.byteOffset + rank * 28))
      expect(ids).toEqual(strongest.map(({ id }) => id))
    }),
  )
})

test('refuses rows the store cannot have had: newer than the boundary, or not ours', () => {
  const [valid] = fc.sample(row, { numRuns: 1, seed: 1 }) as [PatternRow]
  const base = { ...valid, boundary: 100n, evmSucceeded: valid.svm ? 0 : 9, svmExecuted: valid.svm ? 9 : 0 }
  for (const wrong of [
    { ...base, boundary: 101n },
    { ...base, id: base.id.slice(2) },
    { ...base, id: `zz${base.id.slice(2)}` },
    { ...base, svm: !base.svm },
    { ...base, evmFailed: Number.NaN },
    { ...base, evmFailed: -1000 },
  ]) {
    expect(() => createSnapshot([wrong], facts), JSON.stringify(wrong.id)).toThrow(
      expect.objectContaining({ code: 'context row invalid' }),
    )
  }
})

function readable(stored: Uint8Array, id: string): boolean {
  return Buffer.from(stored).toString('hex').includes(id)
}
