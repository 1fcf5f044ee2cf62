import { KEY_BYTES, KEY_WORDS } from './patternKey.ts'
import type { PatternTable } from './patternTable.ts'
import { RouterError } from './routerError.ts'

/** Sums of one pattern over one block; the order is that of `patternTable`'s state. */
export const SUMS = 7

/** What a block teaches, kept until it is learnt `learn.lag` blocks later. */
export type Outcome = {
  /** Share of the block's gas limit that was used: how full the chain is. */
  readonly fullness: number
  /** Patterns in order of first appearance, then the totals. */
  readonly ids: Int32Array
  /** `SUMS` a pattern. */
  readonly sums: Float64Array
  /** What it teaches the model of envelopes (see envelopeModel.ts); empty where there is none. */
  readonly examples: Uint8Array
  /** As stored. */
  readonly bytes: Uint8Array
}

/** 4 bytes count, 4 bytes size of the examples, 8 bytes fullness; then columns, little-endian; then the examples. */
const HEADER = 16
/** Gas and compute units as doubles; executed, failed, seen, calldata and value as u32; seven words of key. */
const ENTRY = 2 * 8 + 5 * 4 + KEY_WORDS * 4

/**
 * Encodes sums of `ids` (patterns of `table`). Gas and units may pass 2^32 in one block and are doubles; the other sums
 * cannot: a block has fewer than 2^24 transactions, and fewer than 2^32 bytes.
 */
export function createOutcome(
  fullness: number,
  ids: Int32Array,
  sums: Float64Array,
  table: PatternTable,
  examples: Uint8Array,
): Outcome {
  const n = ids.length
  const buffer = new ArrayBuffer(HEADER + n * ENTRY + examples.length)
  const counts = new Uint32Array(buffer)
  const doubles = new Float64Array(buffer, 0, 2 + n * 2)
  const { keys } = table
  counts[0] = n
  counts[1] = examples.length
  doubles[1] = fullness
  let double = HEADER / 8
  let word = HEADER / 4 + n * 4
  for (let i = 0, sum = 0; i < n; i++, sum += SUMS) {
    doubles[double++] = sums[sum + 3]!
    doubles[double++] = sums[sum + 4]!
    counts[word++] = sums[sum]!
    counts[word++] = sums[sum + 1]!
    counts[word++] = sums[sum + 2]!
    counts[word++] = sums[sum + 5]!
    counts[word++] = sums[sum + 6]!
    for (let k = ids[i]! * KEY_WORDS, end = k + KEY_WORDS; k < end; k++) counts[word++] = keys[k]!
  }
  const bytes = new Uint8Array(buffer)
  bytes.set(examples, HEADER + n * ENTRY)
  return { fullness, ids, sums, examples, bytes }
}

/** Opens a stored outcome; throws `state damaged`. */
export function readOutcome(stored: Uint8Array, table: PatternTable): Outcome {
  const bytes = Uint8Array.from(stored)
  const head = new DataView(bytes.buffer)
  const n = bytes.length >= HEADER ? head.getUint32(0, true) : -1
  const exampleBytes = n < 0 ? 0 : head.getUint32(4, true)
  if (bytes.length !== HEADER + n * ENTRY + exampleBytes) {
    throw new RouterError('state damaged', {
      expected: `${HEADER} + ${ENTRY} bytes for each of ${n} patterns + ${exampleBytes} of examples`,
      received: `${bytes.length} bytes`,
      where: 'a row of table outcome',
      action: 'Restore the state from its last good checkpoint.',
    })
  }
  const counts = new Uint32Array(bytes.buffer)
  const doubles = new Float64Array(bytes.buffer, 0, 2 + n * 2)
  const ids = new Int32Array(n)
  const sums = new Float64Array(n * SUMS)
  let double = HEADER / 8
  let word = HEADER / 4 + n * 4
  for (let i = 0, sum = 0; i < n; i++, sum += SUMS) {
    sums[sum + 3] = doubles[double++]!
    sums[sum + 4] = doubles[double++]!
    sums[sum] = counts[word++]!
    sums[sum + 1] = counts[word++]!
    sums[sum + 2] = counts[word++]!
    sums[sum + 5] = counts[word++]!
    sums[sum + 6] = counts[word++]!
    ids[i] = table.internBytes(new Uint8Array(bytes.buffer, word * 4, KEY_BYTES))
    word += KEY_WORDS
  }
  return { fullness: doubles[1]!, ids, sums, examples: bytes.subarray(HEADER + n * ENTRY), bytes }
}
