import type { DatabaseSync } from 'node:sqlite'
import type { BlockRef } from '../notification/types.ts'
import { bytesToHash, hashToBytes } from './hashBytes.ts'
import type { FoundTransaction, StoredDecisions } from './store.ts'
import { createTransactionIndex, transactionAt } from './transactionIndex.ts'
import type { ChainTotals } from './types.ts'

/** What is known at a canonical block: an undone block takes its own share with it. */
export type Head = {
  readonly block: BlockRef
  readonly totals: ChainTotals
  readonly latticeHash: Uint8Array
  readonly decisionsHash: Uint8Array
}

/** A block with everything stored under it. */
export type BlockRecord = Head & {
  readonly parent: BlockRef
  readonly timestamp: bigint
  readonly decisions: Uint8Array
  readonly results: Uint8Array
  readonly transactionHashes: Uint8Array
  /** As `encodePreImages` gives it. */
  readonly undo: Uint8Array
  /** 64 bytes each. */
  readonly signatures: Uint8Array
}

/** Everything kept by block number, and the undone blocks. Writes run inside a transaction of the caller's. */
export type ChainTables = {
  readonly tip: () => Head | undefined
  readonly head: (number: bigint) => Head | undefined
  readonly canonical: (number: bigint) => BlockRef | undefined
  /** The parent of a canonical block, kept or not. */
  readonly parentOf: (number: bigint) => BlockRef | undefined
  readonly undo: (number: bigint) => Uint8Array | undefined
  /** Moves the canonical blocks above `kept` to the orphans and drops their undo and signatures. */
  readonly orphan: (kept: bigint, tip: bigint) => void
  readonly insert: (record: BlockRecord, options: { readonly undoable: boolean }) => void
  /** An undone block that was never durable. */
  readonly insertOrphan: (record: BlockRecord) => void
  /** Completes the transaction index up to `tip`; `from` is the lowest number inserted. */
  readonly index: (from: bigint, tip: bigint) => void
  readonly prune: (limits: PruneLimits) => void
  readonly recent: (limit: number) => BlockRef[]
  /** The lowest canonical block kept. */
  readonly oldest: () => bigint | undefined
  readonly decisionsOf: (block: BlockRef) => StoredDecisions | undefined
  readonly latestDecisions: (limit: number) => StoredDecisions[]
  readonly findTransaction: (hash: Uint8Array) => FoundTransaction[]
  /** Undone blocks kept, newest first: by when they were undone, then by number. */
  readonly latestOrphans: (limit: number) => BlockRef[]
  readonly signatures: () => Generator<{ readonly signature: Uint8Array; readonly block: bigint }>
}

/** Everything at or below these numbers may go; undefined: nothing of it. */
export type PruneLimits = {
  readonly undo: bigint
  readonly signatures: bigint
  readonly orphans: bigint
  readonly decisions: bigint | undefined
  /** Every 1024th block stays, for locators. */
  readonly blocks: bigint | undefined
}

export const sparseBlocks = 1024
/** Undone blocks kept at most: a chain that flaps without growing must not fill the disk. */
const maxOrphans = 4096
/** Numbers deleted from a table by one commit, so that a lowered retention does not stop the chain. */
const pruneStep = 512
/** Pruning waits for this many blocks, as one delete costs little more than one block's. */
const pruneBatch = 16

const columns =
  'number, hash, parent, timestamp, blocks, transactions, execute_on_svm, execute_on_evm, skip, ' +
  'executed, failed, rejected, deposits, accounts, lattice, decisions_hash'

type Row = Record<string, unknown>

/** Prepares the tables kept by block number. */
export function createChainTables(database: DatabaseSync): ChainTables {
  const sql = (text: string) => database.prepare(text)
  const index = createTransactionIndex(database)
  const selectTip = sql(`SELECT ${columns} FROM blocks ORDER BY number DESC LIMIT 1`)
  const selectHead = sql(`SELECT ${columns} FROM blocks WHERE number = ?`)
  const selectParent = database.prepare('SELECT parent FROM blocks WHERE number = ?')
  const selectHash = sql('SELECT hash FROM blocks WHERE number = ?')
  const selectOldest = sql('SELECT min(number) AS number FROM blocks')
  const selectRecent = sql('SELECT number, hash FROM blocks ORDER BY number DESC LIMIT ?')
  const selectUndo = sql('SELECT writes FROM undo WHERE number = ?')
  const selectSignatures = sql(
    'SELECT number, signatures FROM signatures WHERE number > ? ORDER BY number LIMIT 64',
  )
  const insertBlock = sql(`INSERT INTO blocks (${columns}) VALUES (${'?,'.repeat(15)}?)`)
  const insertDecisions = sql('INSERT INTO decisions VALUES (?, ?, ?)')
  const insertTransactions = sql('INSERT INTO transactions VALUES (?, ?)')
  const insertUndo = sql('INSERT INTO undo VALUES (?, ?)')
  const insertSignatures = sql('INSERT INTO signatures VALUES (?, ?)')
  const insertOrphan = sql(
    'INSERT INTO orphans (number, hash, timestamp, decisions, results, hashes) VALUES (?, ?, ?, ?, ?, ?)',
  )
  const moveOrphans = sql(`
    INSERT INTO orphans (number, hash, timestamp, decisions, results, hashes)
    SELECT b.number, b.hash, b.timestamp, d.decisions, d.results, t.hashes
    FROM blocks b JOIN decisions d USING (number) JOIN transactions t USING (number) WHERE b.number > ?`)
  const dropAbove = ['undo', 'signatures', 'decisions', 'transactions', 'blocks'].map((table) =>
    sql(`DELETE FROM ${table} WHERE number > ?`),
  )
  const dropSameOrphan = sql('DELETE FROM orphans WHERE number = ? AND hash = ?')
  const capOrphans = sql(`DELETE FROM orphans WHERE id <= (SELECT max(id) FROM orphans) - ${maxOrphans}`)
  const stored =
    'd.decisions, d.results, t.hashes FROM blocks b JOIN decisions d USING (number) JOIN transactions t USING (number)'
  const selectDecisions = sql(
    `SELECT b.number, b.hash, b.timestamp, ${stored} WHERE b.number = ? AND b.hash = ?`,
  )
  const selectLatest = sql(`SELECT b.number, b.hash, b.timestamp, ${stored} ORDER BY b.number DESC LIMIT ?`)
  const selectOrphan = sql('SELECT * FROM orphans WHERE number = ? AND hash = ? ORDER BY id DESC LIMIT 1')
  const selectLatestOrphans = sql('SELECT number, hash FROM orphans ORDER BY id DESC LIMIT ?')
  const selectOrphanHashes = sql(
    'SELECT id, number, hash, hashes FROM orphans WHERE id > ? ORDER BY id LIMIT 64',
  )

  const pruners = {
    undo: createPruner(database, 'undo'),
    signatures: createPruner(database, 'signatures'),
    orphans: createPruner(database, 'orphans'),
    decisions: createPruner(database, 'decisions'),
    transactions: createPruner(database, 'transactions'),
    blocks: createPruner(database, 'blocks', `AND number % ${sparseBlocks} <> 0`),
  }

  function putOrphan(record: BlockRecord): void {
    const { block, timestamp, decisions, results, transactionHashes } = record
    const hash = hashToBytes(block.hash)
    dropSameOrphan.run(block.number, hash)
    insertOrphan.run(block.number, hash, timestamp, decisions, results, transactionHashes)
  }

  const canonical = (number: bigint) => {
    const row = selectHash.get(number)
    return row === undefined ? undefined : { number, hash: bytesToHash(row.hash as Uint8Array) }
  }

  return {
    tip: () => readHead(selectTip.get()),
    head: (number) => readHead(selectHead.get(number)),
    canonical,
    parentOf: (number) => {
      const row = selectParent.get(number)
      return row && { number: number - 1n, hash: bytesToHash(row.parent as Uint8Array) }
    },
    undo: (number) => selectUndo.get(number)?.writes as Uint8Array | undefined,
    orphan: (kept, tip) => {
      moveOrphans.run(kept)
      for (const drop of dropAbove) drop.run(kept)
      capOrphans.run()
      index.drop(kept, tip)
    },
    insert: (record, { undoable }) => {
      const { block, parent, timestamp, totals, latticeHash, decisionsHash } = record
      const { number } = block
      const hash = hashToBytes(block.hash)
      // A block that comes back is an orphan no longer.
      dropSameOrphan.run(number, hash)
      insertBlock.run(
        ...[number, hash, hashToBytes(parent.hash), timestamp, totals.blocks, totals.transactions],
        ...[totals.executeOnSvm, totals.executeOnEvm, totals.skip, totals.executed, totals.failed],
        ...[totals.rejected, totals.deposits, totals.accounts, latticeHash, decisionsHash],
      )
      insertDecisions.run(number, record.decisions, record.results)
      insertTransactions.run(number, record.transactionHashes)
      if (undoable) insertUndo.run(number, record.undo)
      if (record.signatures.length > 0) insertSignatures.run(number, record.signatures)
    },
    insertOrphan: putOrphan,
    index: index.complete,
    prune: (limits) => {
      pruners.undo(limits.undo)
      pruners.signatures(limits.signatures)
      pruners.orphans(limits.orphans)
      if (limits.decisions !== undefined) {
        pruners.decisions(limits.decisions)
        pruners.transactions(limits.decisions)
        index.prune(limits.decisions)
      }
      if (limits.blocks !== undefined) pruners.blocks(limits.blocks)
    },
    recent: (limit) =>
      selectRecent
        .all(limit)
        .map((row) => readRef(row))
        .reverse(),
    oldest: () => {
      const number = selectOldest.get()?.number
      return typeof number === 'number' ? BigInt(number) : undefined
    },
    decisionsOf: (block) => {
      const key = [block.number, hashToBytes(block.hash)] as const
      const row = selectDecisions.get(...key)
      if (row !== undefined) return readDecisions(row, true)
      const orphan = selectOrphan.get(...key)
      return orphan === undefined ? undefined : readDecisions(orphan, false)
    },
    latestDecisions: (limit) => selectLatest.all(limit).map((row) => readDecisions(row, true)),
    findTransaction: (hash) => {
      const found: FoundTransaction[] = []
      if (hash.length !== 32) return found
      const tip = readHead(selectTip.get())
      for (const { number, index: place } of tip === undefined ? [] : index.find(hash, tip.block.number)) {
        const block = canonical(number)
        if (block !== undefined) found.push({ block, index: place, canonical: true })
      }
      for (const row of scan((after) => selectOrphanHashes.all(after), 'id')) {
        const place = transactionAt(row.hashes as Uint8Array, hash)
        if (place >= 0) found.push({ block: readRef(row), index: place, canonical: false })
      }
      return found
    },
    latestOrphans: (limit) => selectLatestOrphans.all(limit).map(readRef),
    signatures: function* () {
      for (const row of scan((after) => selectSignatures.all(after), 'number')) {
        const all = row.signatures as Uint8Array
        for (let at = 0; at < all.length; at += 64) {
          yield { signature: all.subarray(at, at + 64), block: BigInt(row.number as number) }
        }
      }
    },
  }
}

/** Deletes up to a number, at most `pruneStep` rows at a time; what it has passed it does not look at again. */
function createPruner(database: DatabaseSync, table: string, keep = '') {
  const remove = database.prepare(
    `DELETE FROM ${table} WHERE rowid IN
      (SELECT rowid FROM ${table} WHERE number >= ? AND number <= ? ${keep} ORDER BY number LIMIT ${pruneStep})`,
  )
  let next = 0n
  return (limit: bigint) => {
    if (limit - next < BigInt(pruneBatch - 1)) return
    if (Number(remove.run(next, limit).changes) < pruneStep) next = limit + 1n
  }
}

function* scan(page: (after: number | bigint) => Row[], key: string): Generator<Row> {
  for (let rows = page(-1); rows.length > 0; rows = page(rows.at(-1)![key] as number)) yield* rows
}

function readRef(row: Row): BlockRef {
  return { number: BigInt(row.number as number), hash: bytesToHash(row.hash as Uint8Array) }
}

function readHead(row: Row | undefined): Head | undefined {
  if (row === undefined) return undefined
  const count = (name: string) => row[name] as number
  return {
    block: readRef(row),
    totals: {
      blocks: count('blocks'),
      transactions: count('transactions'),
      executeOnSvm: count('execute_on_svm'),
      executeOnEvm: count('execute_on_evm'),
      skip: count('skip'),
      executed: count('executed'),
      failed: count('failed'),
      rejected: count('rejected'),
      deposits: count('deposits'),
      accounts: count('accounts'),
    },
    latticeHash: row.lattice as Uint8Array,
    decisionsHash: row.decisions_hash as Uint8Array,
  }
}

function readDecisions(row: Row, isCanonical: boolean): StoredDecisions {
  return {
    block: readRef(row),
    canonical: isCanonical,
    timestamp: BigInt(row.timestamp as number),
    decisions: row.decisions as Uint8Array,
    results: row.results as Uint8Array,
    transactionHashes: row.hashes as Uint8Array,
  }
}
