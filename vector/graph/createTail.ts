import type { Table } from '@lancedb/lancedb'
import { type Increments, incrementsOf } from './increments.ts'
import { readTransactions, type SourceRow } from './readTransactions.ts'

/** Stored transactions after the last complete epoch that are looked at for an answer. */
export const mostTailRows = 20_000

/** What blocks add to the graph that no epoch holds yet. */
export type Tail = {
  /** What blocks after `after` up to `asOf` add. Undefined with more than `mostTailRows` to read. */
  read(after: bigint, asOf: bigint): Promise<Increments | undefined>
  /** Blocks were taken back: nothing that was read holds. */
  forget(): void
}

type Kept = { readonly after: bigint; readonly to: bigint; readonly rows: Promise<readonly SourceRow[]> }

/**
 * Reads each block once where `keeps`: a reader of what another process writes is not told of undone blocks, and reads them for every
 * answer.
 */
export function createTail(transactions: Table, keeps: boolean): Tail {
  let kept: Kept | undefined
  let forgotten = 0
  let summed: { readonly key: string; readonly of: Kept; readonly tail: Increments } | undefined

  return {
    async read(after, asOf) {
      const known = await reach(after, asOf)
      if (!known) return undefined
      const key = `${after} ${asOf}`
      if (summed?.of === known && summed.key === key) return summed.tail
      const rows = await known.rows
      const tail = incrementsOf(rows.filter(({ blockNumber }) => blockNumber > after && blockNumber <= asOf))
      summed = { key, of: known, tail }
      return tail
    },
    forget() {
      forgotten += 1
      kept = undefined
      summed = undefined
    },
  }

  /** What is kept, when it has every block in (after, asOf]; else what it lacks is read. */
  async function reach(after: bigint, asOf: bigint): Promise<Kept | undefined> {
    const since = forgotten
    // What ends before `after` would leave a hole, to be read for nothing.
    const isOfUse = keeps && kept !== undefined && kept.after <= after && kept.to >= after
    const before = isOfUse ? kept : undefined
    if (before && before.to >= asOf) return before
    const from = before ? before.to + 1n : after + 1n
    const range = `\`blockNumber\` >= ${from} AND \`blockNumber\` <= ${asOf}`
    if ((await transactions.countRows(range)) > mostTailRows) return undefined
    const rows = (async () => [
      ...(before ? (await before.rows).filter(({ blockNumber }) => blockNumber > after) : []),
      ...(await readTransactions(transactions, from, asOf)),
    ])()
    const next = { after, to: asOf, rows }
    // Of blocks that were taken back meanwhile nobody knows how far they go.
    if (since === forgotten) kept = next
    rows.catch(() => {
      if (kept === next) kept = undefined
    })
    return next
  }
}
