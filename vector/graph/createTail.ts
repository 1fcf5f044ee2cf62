import type { RowIndex } from '../rows/rowIndex.ts'
import { type Increments, incrementsOf } from './increments.ts'
import { readTransactions, type SourceRow } from './readTransactions.ts'

/** Stored transactions after the last complete epoch that are looked at for an answer. */
export const mostTailRows = 20_000

/** What blocks add to the graph that no epoch holds yet. */
export type Tail = {
  /** What blocks after `after` up to `asOf` add. Undefined with more than `mostTailRows` to read. Throws what SQLite throws. */
  read(after: bigint, asOf: bigint): Increments | undefined
  /** Blocks were taken back: nothing that was read holds. */
  forget(): void
}

type Kept = { readonly after: bigint; readonly to: bigint; readonly rows: readonly SourceRow[] }

/**
 * Reads each block once where `keeps`: a reader of what another process writes is not told of undone blocks, and reads them for every
 * answer.
 */
export function createTail(rows: Pick<RowIndex, 'between' | 'countBetween'>, keeps: boolean): Tail {
  let kept: Kept | undefined
  let summed: { readonly key: string; readonly of: Kept; readonly tail: Increments } | undefined

  return {
    read(after, asOf) {
      const known = reach(after, asOf)
      if (!known) return undefined
      const key = `${after} ${asOf}`
      if (summed?.of === known && summed.key === key) return summed.tail
      const within = known.rows.filter(({ blockNumber }) => blockNumber > after && blockNumber <= asOf)
      const tail = incrementsOf(within)
      summed = { key, of: known, tail }
      return tail
    },
    forget() {
      kept = undefined
      summed = undefined
    },
  }

  /** What is kept, when it has every block in (after, asOf]; else what it lacks is read. */
  function reach(after: bigint, asOf: bigint): Kept | undefined {
    // What ends before `after` would leave a hole, to be read for nothing.
    const isOfUse = keeps && kept !== undefined && kept.after <= after && kept.to >= after
    const before = isOfUse ? kept : undefined
    if (before && before.to >= asOf) return before
    const from = before ? before.to + 1n : after + 1n
    if (rows.countBetween(from, asOf) > mostTailRows) return undefined
    kept = {
      after,
      to: asOf,
      rows: [
        ...(before?.rows.filter(({ blockNumber }) => blockNumber > after) ?? []),
        ...readTransactions(rows, from, asOf),
      ],
    }
    return kept
  }
}
