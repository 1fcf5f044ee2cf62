import type { StateWrite } from '../notification/stateWrite.ts'
import { type Decay, FADED } from './decay.ts'
import { Domain, KEY_BYTES, KEY_WORDS, patternId } from './patternKey.ts'
import { LAST, type PatternTable, ROW, ROW_BYTES, SEEN, STATE, STATE_BYTES } from './patternTable.ts'
import { strongest } from './strongest.ts'

/** Half-lives until a single sighting has faded; every sighting leaves at least one. */
const FADING_HALF_LIVES = 20

/**
 * Drops patterns at a boundary, by the state alone: those that have faded (fewer than 2^-20 sightings left), and, above
 * seven eighths of `maxPatterns`, the least seen down to three quarters, ties to the greater key. Patterns learnt by
 * this very block stay, so that no key is written twice. Appends the removals; returns the ids of rows projected before.
 */
export function sweepPatterns(
  table: PatternTable,
  decay: Decay,
  facts: { block: number; lag: number; halfLife: number; maxPatterns: number },
  writes: StateWrite[],
): string[] {
  const { block, maxPatterns } = facts
  const { state, keys, present } = table
  const newest = block - facts.lag
  const seen = (id: number) => state[id * STATE + SEEN]! * decay(block - state[id * STATE + LAST]!)
  const full = table.learnt > Math.floor((maxPatterns * 7) / 8)
  const fadedBefore = block - FADING_HALF_LIVES * facts.halfLife
  const dropped: number[] = []
  const kept: number[] = []
  for (let id = 0; id < table.count; id++) {
    const last = state[id * STATE + LAST]!
    if (present[id] === 0 || keys[id * KEY_WORDS + 6]! >= Domain.allEvm || last === newest) continue
    if (last <= fadedBefore && seen(id) < FADED) dropped.push(id)
    else if (full) kept.push(id)
  }
  if (full) {
    const surplus = table.learnt - dropped.length - Math.floor((maxPatterns * 3) / 4)
    const staying = new Set(strongest(kept, Math.max(0, kept.length - Math.max(0, surplus)), seen, table))
    for (const id of kept) if (!staying.has(id)) dropped.push(id)
  }
  dropped.sort((a, b) => table.compareKeys(a, b))
  const removed: string[] = []
  for (const id of dropped) {
    const key = Uint8Array.from(table.keyBytes().subarray(id * KEY_WORDS * 4, id * KEY_WORDS * 4 + KEY_BYTES))
    const before = new Uint8Array(table.state.buffer.slice(id * STATE_BYTES, (id + 1) * STATE_BYTES))
    writes.push({ table: 'pattern', key, before, after: undefined })
    table.setState(id, undefined)
    if (table.rows[id * ROW] === 0) continue
    const row = new Uint8Array(table.rows.buffer.slice(id * ROW_BYTES, (id + 1) * ROW_BYTES))
    writes.push({ table: 'projected', key, before: row, after: undefined })
    table.setRow(id, undefined)
    removed.push(patternId(key))
  }
  return removed
}
