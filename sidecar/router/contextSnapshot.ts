import { quarterOctaves } from './blockFeatures.ts'
import { type Decay, FADED } from './decay.ts'
import { isProjectedDomain, isSvmDomain, KEY_BYTES, KEY_WORDS, writePatternId } from './patternKey.ts'
import { RouterError } from './routerError.ts'
import type { PatternRow } from './types.ts'

/** Why a snapshot holds what it holds. The order is the stored code. */
export const contextStates = ['loaded', 'before start', 'unavailable'] as const
export type ContextState = (typeof contextStates)[number]

/** The rows an epoch is decided with: those with most evidence first, ties by id. */
export type ContextSnapshot = {
  readonly state: ContextState
  readonly boundary: number
  /** The first block this state was built from: there are no rows as of boundaries before it. */
  readonly start: number
  readonly count: number
  /** Seven words a row. */
  readonly keys: Uint32Array
  /** Two floats a row: succeeded or executed, failed; as of the boundary. */
  readonly counts: Float32Array
  /** Three a row: gas limit and calldata length in quarter octaves, value in bits. */
  readonly sizes: Uint8Array
}

/** State, boundary, start and count, each as a double. */
const HEADER = 32
const SIZES = 4
const ROW = KEY_WORDS * 4 + 8 + SIZES

/** An empty snapshot's stored bytes. */
export function emptySnapshot(state: ContextState, boundary: number, start: number): Uint8Array {
  return new Uint8Array(header(state, boundary, start, 0))
}

/**
 * The stored bytes of the `limit` rows with most evidence as of `boundary`. Counts are decayed from each row's own
 * boundary; rows that have faded are left out, whether or not the store still has them. Throws `context row invalid`.
 */
export function createSnapshot(
  rows: readonly PatternRow[],
  facts: { boundary: number; start: number; limit: number; decay: Decay },
): Uint8Array {
  const { boundary, decay } = facts
  const factors = new Float64Array(rows.length)
  const evidence = new Float64Array(rows.length)
  const order: number[] = []
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!
    const age = boundary - Number(row.boundary)
    if (!(age >= 0)) throw invalidRow(row, `a boundary of at most ${boundary}`, String(row.boundary))
    const factor = decay(age)
    factors[i] = factor
    const outcomes = row.evmSucceeded + row.evmFailed + row.svmExecuted + row.svmFailed
    if (!(outcomes >= 0 && outcomes < Infinity)) {
      throw invalidRow(row, 'counts of 0 or more', String(outcomes))
    }
    evidence[i] = outcomes * factor
    if (evidence[i]! >= FADED) order.push(i)
  }
  order.sort((a, b) => evidence[b]! - evidence[a]! || (rows[a]!.id < rows[b]!.id ? -1 : 1))
  const count = Math.min(order.length, facts.limit)
  const buffer = header('loaded', boundary, facts.start, count)
  const keyBytes = Buffer.from(buffer, HEADER, count * KEY_WORDS * 4)
  const counts = new Float32Array(buffer, HEADER + count * KEY_WORDS * 4, count * 2)
  const sizes = new Uint8Array(buffer, HEADER + count * (KEY_WORDS * 4 + 8))
  for (let rank = 0; rank < count; rank++) {
    const i = order[rank]!
    const row = rows[i]!
    const at = rank * KEY_WORDS * 4
    const valid = writePatternId(row.id, keyBytes, at) && isProjectedDomain(keyBytes[at + KEY_BYTES - 1]!)
    if (!valid || isSvmDomain(keyBytes[at + KEY_BYTES - 1]!) !== row.svm) {
      throw invalidRow(row, '50 hex digits that agree with `svm`', `svm ${row.svm}`)
    }
    counts[rank * 2] = (row.svm ? row.svmExecuted : row.evmSucceeded) * factors[i]!
    counts[rank * 2 + 1] = (row.svm ? row.svmFailed : row.evmFailed) * factors[i]!
    sizes[rank * SIZES] = quarterOctaves(wholeBelow(row.gasLimit, 0xffffffff))
    sizes[rank * SIZES + 1] = quarterOctaves(wholeBelow(row.calldataBytes, 0xffffffff))
    sizes[rank * SIZES + 2] = wholeBelow(row.valueLog2, 255)
  }
  return new Uint8Array(buffer)
}

/** Opens stored bytes; throws `state damaged`. */
export function readSnapshot(stored: Uint8Array): ContextSnapshot {
  const bytes = Uint8Array.from(stored)
  const head = new Float64Array(HEADER / 8)
  new Uint8Array(head.buffer).set(bytes.subarray(0, HEADER))
  const count = head[3]!
  const state = contextStates[head[0]!]
  if (bytes.length !== HEADER + count * ROW || state === undefined) {
    throw new RouterError('state damaged', {
      expected: `${HEADER} + ${ROW} bytes for each of ${count} rows`,
      received: `${bytes.length} bytes`,
      where: 'a row of table context',
      action: 'Restore the state from its last good checkpoint.',
    })
  }
  return {
    state,
    boundary: head[1]!,
    start: head[2]!,
    count,
    keys: new Uint32Array(bytes.buffer, HEADER, count * KEY_WORDS),
    counts: new Float32Array(bytes.buffer, HEADER + count * KEY_WORDS * 4, count * 2),
    sizes: new Uint8Array(bytes.buffer, HEADER + count * (KEY_WORDS * 4 + 8)),
  }
}

/** The first block of the state a stored snapshot belongs to. */
export function startOf(stored: Uint8Array): number {
  return new DataView(stored.buffer, stored.byteOffset).getFloat64(16, true)
}

/** Sizes of row `rank`, in the words of `writeSketch`. */
export function sizesOf(snapshot: ContextSnapshot, rank: number) {
  const { sizes } = snapshot
  const at = rank * SIZES
  return { gasQuarters: sizes[at]!, calldataQuarters: sizes[at + 1]!, valueBits: sizes[at + 2]! }
}

function header(state: ContextState, boundary: number, start: number, count: number): ArrayBuffer {
  const buffer = new ArrayBuffer(HEADER + count * ROW)
  new Float64Array(buffer, 0, 4).set([contextStates.indexOf(state), boundary, start, count])
  return buffer
}

function wholeBelow(value: number, limit: number): number {
  return Math.min(limit, Math.max(0, Math.round(value)))
}

function invalidRow(row: PatternRow, expected: string, received: string): RouterError {
  return new RouterError(
    'context row invalid',
    {
      expected,
      received,
      where: `pattern ${row.id}`,
      action: 'The vector store has rows this program did not write: rebuild its table `patterns`.',
    },
    { id: row.id },
  )
}
