import type { DatabaseSync } from 'node:sqlite'
import type { Logger } from 'pino'
import { stateTables } from '../notification/stateWrite.ts'
import type { BlockRef } from '../notification/types.ts'
import { sparseBlocks } from './chainTables.ts'
import { StoreDamagedError } from './errors.ts'
import { bytesToHash } from './hashBytes.ts'
import { createMeta } from './meta.ts'
import { openForReading } from './openDatabase.ts'
import { nextDecisionsHash } from './stagedChain.ts'
import { createStateTables } from './stateTables.ts'
import { decodeValues } from './stateWriteCodec.ts'
import { toStoreError } from './toStoreError.ts'
import { entryBytes, segmentBlocks } from './transactionIndex.ts'

export type VerifyOptions = {
  readonly directory: string
  /**
   * Computes the checksum of the accounts lattice hash from all account rows; what it gives is compared with the newest
   * block. Left out, that one check is not made.
   */
  readonly latticeHash?: (
    accounts: Iterable<{ readonly key: Uint8Array; readonly value: Uint8Array }>,
  ) => Uint8Array
}

export type Verification = {
  readonly isSound: boolean
  /** Sentences, at most `maxProblems`. */
  readonly problems: readonly string[]
  readonly durable: BlockRef | undefined
  readonly blocks: number
}

const maxProblems = 100

/**
 * Reads a store whole and holds it against what it promises: the file's own structure, blocks that follow each other,
 * totals, the decisions hash over the kept decisions, undo for every block that can be undone, signatures that ran
 * once, the transaction index, and the lattice hash. It changes nothing and takes as long as the store is large.
 * @throws StoreDamagedError when the file cannot be opened or read at all
 */
export function verifyStore(options: VerifyOptions, { logger }: { readonly logger: Logger }): Verification {
  const { database, file, close } = openForReading(options.directory, () => {}, { logger })
  try {
    const problems: string[] = []
    const report = (problem: string) => {
      if (problems.length < maxProblems) problems.push(problem)
    }
    // A table that cannot be read to its end is a finding, not the end of the search.
    function check<T>(what: string, read: () => T): T | undefined {
      try {
        return read()
      } catch (error) {
        if (!(toStoreError(error, file) instanceof StoreDamagedError)) throw error
        report(`${what} cannot be read: ${(error as Error).message}`)
        return undefined
      }
    }
    check('the file', () => checkFile(database, report))
    const found = check('blocks', () => checkBlocks(database, report))
    const durable = found?.durable
    check('undo', () => checkUndo(database, durable, report))
    check('signatures', () => checkSignatures(database, report))
    check('the transaction index', () => checkIndex(database, report))
    check('accounts', () => checkLattice(database, options, found?.lattice, report))
    return { isSound: problems.length === 0, problems, durable, blocks: found?.blocks ?? 0 }
  } catch (error) {
    throw toStoreError(error, file)
  } finally {
    close()
  }
}

type Report = (problem: string) => void

function checkFile(database: DatabaseSync, report: Report): void {
  for (const row of database.prepare(`PRAGMA integrity_check(${maxProblems})`).all()) {
    const text = String(Object.values(row)[0])
    if (text !== 'ok') report(text)
  }
}

function checkLattice(
  database: DatabaseSync,
  { latticeHash }: VerifyOptions,
  expected: Uint8Array | undefined,
  report: Report,
): void {
  if (latticeHash === undefined || expected === undefined) return
  const found = Buffer.from(latticeHash(createStateTables(database).rows('account')))
  if (found.equals(expected)) return
  report(
    `the accounts hash to ${found.toString('hex')}, the newest block says ${Buffer.from(expected).toString('hex')}`,
  )
}

function checkBlocks(database: DatabaseSync, report: Report) {
  const rows = database.prepare(`
    SELECT b.*, d.decisions AS blob, t.hashes AS transaction_hashes
    FROM blocks b LEFT JOIN decisions d USING (number) LEFT JOIN transactions t USING (number) ORDER BY b.number`)
  let previous: Record<string, unknown> | undefined
  let blocks = 0
  for (const row of rows.iterate()) {
    const number = row.number as number
    blocks++
    if (previous !== undefined) checkPair(previous, row, report)
    const hashes = row.transaction_hashes as Uint8Array | null
    if ((hashes === null) !== (row.blob === null))
      report(`block ${number} has only one of decisions and transactions`)
    if (previous !== undefined && previous.number === number - 1 && hashes !== null) {
      const own = (row.transactions as number) - (previous.transactions as number)
      if (own !== hashes.length / 32)
        report(`block ${number} counts ${own} transactions and keeps ${hashes.length / 32}`)
    }
    previous = row
  }
  const durable =
    previous === undefined
      ? undefined
      : { number: BigInt(previous.number as number), hash: bytesToHash(previous.hash as Uint8Array) }
  return { durable, blocks, lattice: previous?.lattice as Uint8Array | undefined }
}

function checkPair(previous: Record<string, unknown>, row: Record<string, unknown>, report: Report): void {
  const number = row.number as number
  if (number !== (previous.number as number) + 1) {
    // Where retention is limited only every 1024th block is left far below the tip.
    if ((previous.number as number) % sparseBlocks !== 0)
      report(`blocks after ${previous.number} up to ${number} are missing`)
    return
  }
  if (!Buffer.from(row.parent as Uint8Array).equals(previous.hash as Uint8Array)) {
    report(`block ${number} does not name block ${previous.number} as its parent`)
  }
  if (row.blocks !== (previous.blocks as number) + 1) report(`block ${number} counts ${row.blocks} blocks`)
  for (const name of [
    'transactions',
    'execute_on_svm',
    'execute_on_evm',
    'skip',
    'executed',
    'failed',
    'rejected',
    'deposits',
  ]) {
    if ((row[name] as number) < (previous[name] as number))
      report(`the total ${name} falls at block ${number}`)
  }
  if (row.blob !== null) {
    const expected = nextDecisionsHash(
      previous.decisions_hash as Uint8Array,
      row.hash as Uint8Array,
      row.blob as Uint8Array,
    )
    if (!Buffer.from(expected).equals(row.decisions_hash as Uint8Array)) {
      report(`the decisions of block ${number} do not give its decisions hash`)
    }
  }
}

function checkUndo(database: DatabaseSync, durable: BlockRef | undefined, report: Report): void {
  if (durable === undefined) return
  const floor = createMeta(database).number('undo_floor') ?? -1
  const missing = database.prepare(
    'SELECT b.number FROM blocks b LEFT JOIN undo u USING (number) WHERE b.number > ? AND u.number IS NULL',
  )
  for (const { number } of missing.iterate(floor))
    report(`block ${number} has no undo, though it can be undone`)
  for (const { number, writes } of database.prepare('SELECT number, writes FROM undo').iterate()) {
    try {
      const wrong = decodeValues(writes as Uint8Array).find(({ table }) => table >= stateTables.length)
      if (wrong !== undefined) report(`the undo of block ${number} names a table ${wrong.table}`)
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      report(`the undo of block ${number} cannot be read: ${error.message}`)
    }
  }
}

function checkSignatures(database: DatabaseSync, report: Report): void {
  const seen = new Map<string, number>()
  for (const { number, signatures } of database
    .prepare('SELECT number, signatures FROM signatures')
    .iterate()) {
    const all = Buffer.from(signatures as Uint8Array)
    for (let at = 0; at < all.length; at += 64) {
      const signature = all.toString('hex', at, at + 64)
      const first = seen.get(signature)
      if (first !== undefined) report(`signature ${signature} ran in block ${first} and in block ${number}`)
      seen.set(signature, number as number)
    }
  }
}

function checkIndex(database: DatabaseSync, report: Report): void {
  const indexed = database.prepare(`
    SELECT id % 4294967296 AS segment, sum(length(entries)) / ${entryBytes} AS entries
    FROM transaction_index GROUP BY segment`)
  const kept = database.prepare(`
    SELECT count(*) AS blocks, total(length(hashes)) / 32 AS transactions FROM transactions WHERE number / ${segmentBlocks} = ?`)
  const lowest = database.prepare('SELECT min(number) AS number FROM transactions').get()?.number as
    | number
    | null
  for (const { segment, entries } of indexed.all()) {
    // A segment that retention or the start cuts through may know transactions that are no longer kept.
    if (lowest === null || (segment as number) * segmentBlocks < lowest) continue
    const found = kept.get(segment as number)
    if (found?.transactions !== entries) {
      report(`index segment ${segment} has ${entries} entries for ${found?.transactions} transactions`)
    }
  }
}
