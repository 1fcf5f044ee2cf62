import type { StateWrite } from '../notification/stateWrite.ts'
import type { Decay } from './decay.ts'
import { isProjectedDomain, isSvmDomain, KEY_BYTES, KEY_WORDS } from './patternKey.ts'
import {
  CALLDATA,
  FAIL,
  GAS,
  LAST,
  OK,
  type PatternTable,
  ROW,
  ROW_BYTES,
  SEEN,
  STATE,
  UNITS,
  VALUE,
} from './patternTable.ts'
import { decodeProjectedRow } from './projectedRow.ts'
import { strongest } from './strongest.ts'
import type { PatternRow } from './types.ts'

/** Bytes of one write in the buffer they share: key (25 + 7 unused), before, after. */
const WRITE_BYTES = 32 + 2 * ROW_BYTES

/**
 * The rows a boundary block hands to the vector store: patterns whose state changed since the boundary before, the
 * `limit` with most evidence at most, as of the boundary, by key. What changed is read from the state itself, so an
 * instance that was restarted in between, or undid blocks, finds the same. Appends one `projected` write a row.
 */
export function projectPatterns(
  table: PatternTable,
  decay: Decay,
  facts: { boundary: number; previous: number; lag: number; limit: number },
  writes: StateWrite[],
): PatternRow[] {
  const { boundary } = facts
  const { state, keys, present, rows, rowFields } = table
  // An outcome of block m moves into the state at block m + lag.
  const since = facts.previous - facts.lag
  const changed: number[] = []
  for (let id = 0; id < table.count; id++) {
    if (present[id] === 0 || !(state[id * STATE + LAST]! > since)) continue
    if (isProjectedDomain(keys[id * KEY_WORDS + 6]!)) changed.push(id)
  }
  const evidence = (id: number) =>
    (state[id * STATE + OK]! + state[id * STATE + FAIL]!) * decay(boundary - state[id * STATE + LAST]!)
  const chosen = strongest(changed, facts.limit, evidence, table).sort((a, b) => table.compareKeys(a, b))

  const buffer = new Uint8Array(chosen.length * WRITE_BYTES)
  const keyBytes = table.keyBytes()
  return chosen.map((id, i) => {
    const at = id * STATE
    const row = id * ROW
    const live = new Uint8Array(rows.buffer, row * 8, ROW_BYTES)
    const start = i * WRITE_BYTES
    const key = buffer.subarray(start, start + KEY_BYTES)
    const before = buffer.subarray(start + 32, start + 32 + ROW_BYTES)
    const after = buffer.subarray(start + 32 + ROW_BYTES, start + WRITE_BYTES)
    key.set(keyBytes.subarray(id * KEY_WORDS * 4, id * KEY_WORDS * 4 + KEY_BYTES))
    const known = rows[row] !== 0
    before.set(live)
    const factor = decay(boundary - state[at + LAST]!)
    const succeeded = state[at + OK]! * factor
    const failed = state[at + FAIL]! * factor
    const outcomes = state[at + OK]! + state[at + FAIL]!
    const svm = isSvmDomain(keys[id * KEY_WORDS + 6]!)
    rows[row] = boundary
    const field = row * 2 + 2
    rowFields[field] = svm ? 0 : succeeded
    rowFields[field + 1] = svm ? 0 : failed
    rowFields[field + 2] = svm ? succeeded : 0
    rowFields[field + 3] = svm ? failed : 0
    rowFields[field + 4] = outcomes === 0 ? 0 : state[at + UNITS]! / outcomes
    rowFields[field + 5] = state[at + GAS]! / state[at + SEEN]!
    rowFields[field + 6] = state[at + CALLDATA]! / state[at + SEEN]!
    rowFields[field + 7] = state[at + VALUE]! / state[at + SEEN]!
    after.set(live)
    writes.push({ table: 'projected', key, before: known ? before : undefined, after })
    return decodeProjectedRow(key, after)
  })
}
