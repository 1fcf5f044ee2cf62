import type { DatabaseSync } from 'node:sqlite'
import { bytesToHash, hashToBytes } from './hashBytes.ts'
import { createMeta } from './meta.ts'
import type { OutboxEntry } from './types.ts'

/** What waits for the vector store. Sequences rise for ever, also over restarts and deletions. */
export type Outbox = {
  /** Appends entries. Inside a transaction; `settle` once it is durable. */
  readonly write: (entries: readonly Omit<OutboxEntry, 'sequence'>[]) => void
  readonly settle: (entries: readonly Omit<OutboxEntry, 'sequence'>[]) => void
  readonly read: (limitRows: number) => OutboxEntry[]
  readonly delete: (upToSequence: number) => void
  readonly rows: () => number
  /** The lowest block with an entry left, finality moves apart: those change nothing a block was decided with. */
  readonly lowestBlock: () => bigint | undefined
  /** Whether the `patterns` of a boundary are still to be written, or an undo that may change them. */
  readonly patternsPending: (boundary: bigint) => boolean
}

/** Entries handed out at once at most: undo entries may count no rows. */
const maxEntries = 1024

/** Opens table `outbox`. */
export function createOutbox(database: DatabaseSync): Outbox {
  const meta = createMeta(database)
  const insert = database.prepare('INSERT INTO outbox VALUES (?, ?, ?, ?, ?, ?)')
  const select = database.prepare(`SELECT * FROM outbox ORDER BY sequence LIMIT ${maxEntries}`)
  const lowest = database.prepare("SELECT min(block_number) AS number FROM outbox WHERE kind <> 'finalized'")
  const pending = database.prepare(
    "SELECT 1 FROM outbox WHERE kind = 'undo' OR (kind = 'patterns' AND block_number <= ?) LIMIT 1",
  )
  const sumAll = database.prepare('SELECT total(rows) AS rows FROM outbox')
  const sumUpTo = database.prepare('SELECT total(rows) AS rows FROM outbox WHERE sequence <= ?')
  const remove = database.prepare('DELETE FROM outbox WHERE sequence <= ?')
  let next = meta.number('outbox_next') ?? 1
  let rows = Number(sumAll.get()?.rows)

  return {
    write: (entries) => {
      let sequence = next
      for (const { block, kind, rows: count, payload } of entries) {
        insert.run(sequence++, block.number, hashToBytes(block.hash), kind, count, payload)
      }
      if (sequence > next) meta.set('outbox_next', sequence)
    },
    settle: (entries) => {
      next += entries.length
      for (const entry of entries) rows += entry.rows
    },
    read: (limitRows) => {
      const entries: OutboxEntry[] = []
      let taken = 0
      for (const row of select.iterate()) {
        entries.push({
          sequence: row.sequence as number,
          block: {
            number: BigInt(row.block_number as number),
            hash: bytesToHash(row.block_hash as Uint8Array),
          },
          kind: row.kind as OutboxEntry['kind'],
          rows: row.rows as number,
          payload: row.payload as Uint8Array,
        })
        taken += row.rows as number
        if (taken >= limitRows) break
      }
      return entries
    },
    delete: (upToSequence) => {
      const gone = Number(sumUpTo.get(upToSequence)?.rows)
      remove.run(upToSequence)
      rows -= gone
    },
    rows: () => rows,
    lowestBlock: () => {
      const number = lowest.get()?.number
      return typeof number === 'number' ? BigInt(number) : undefined
    },
    patternsPending: (boundary) => pending.get(boundary) !== undefined,
  }
}
