import type { Logger } from 'pino'
import { stateTables } from '../notification/stateWrite.ts'
import type { BlockRef } from '../notification/types.ts'
import { createChainTables, type Head } from './chainTables.ts'
import { StoreReadOnlyError } from './errors.ts'
import { finishedHeight } from './finishedHeight.ts'
import { checkIdentity, encodeIdentity, type Identity } from './identity.ts'
import { keyBytes } from './keyString.ts'
import { locatorNumbers } from './locatorNumbers.ts'
import { createMeta } from './meta.ts'
import { openForReading, openForWriting } from './openDatabase.ts'
import { createOutbox } from './outbox.ts'
import { createStagedChain, emptyHash } from './stagedChain.ts'
import { createStateTables, type StateTablesOptions } from './stateTables.ts'
import type { Store } from './store.ts'
import { toStoreError } from './toStoreError.ts'
import type { ChainTotals, Effects, OutboxEntry, Progress } from './types.ts'

export type StoreOptions = {
  readonly directory: string
  /** What the directory must be bound to; a new one is bound to it. */
  readonly identity: Identity
  /** Blocks below the tip that can be undone. */
  readonly undoDepth: number
  /** Newest blocks whose decisions, results and transaction hashes are kept, at least `undoDepth`; 0 keeps all. */
  readonly retainDecisions: number
  /** Opens the state as of now for reading, beside a running writer if there is one. Default false. */
  readonly readOnly?: boolean
  /** When the log of state writes is folded into the tables. */
  readonly log?: StateTablesOptions
}

/** Executed signatures matter as long as their blockhash is accepted. */
const signatureBlocks = 150n
/** Block rows kept below everything that undo or retention keeps, where retention is limited. */
const extraBlocks = 300n

const emptyTotals: ChainTotals = {
  ...{ blocks: 0, transactions: 0, executeOnSvm: 0, executeOnEvm: 0, skip: 0 },
  ...{ executed: 0, failed: 0, rejected: 0, deposits: 0, accounts: 0 },
}

/**
 * Opens the durable state of a data directory, which it makes where there is none. One process at a time may write; the
 * lock goes with the process, however that ends.
 * @throws IdentityMismatchError, DataDirInUseError, StoreReadOnlyError, DiskFullError, StoreDamagedError,
 *   StoreTooNewError, StoreIoError
 */
export function openStore(options: StoreOptions, { logger }: { readonly logger: Logger }): Store {
  const { directory, identity, readOnly = false } = options
  const check = (stored: Identity | undefined) => {
    if (stored !== undefined) checkIdentity(directory, stored, identity)
  }
  const { database, file, close } = (readOnly ? openForReading : openForWriting)(directory, check, { logger })

  let durable: Head | undefined
  function guarded<A extends unknown[], R>(call: (...args: A) => R): (...args: A) => R {
    return (...args) => {
      try {
        return call(...args)
      } catch (error) {
        throw toStoreError(error, file, durable?.block)
      }
    }
  }
  function writing<A extends unknown[], R>(call: (...args: A) => R): (...args: A) => R {
    return guarded((...args) => {
      if (readOnly) throw new StoreReadOnlyError(file, 'it was opened for reading')
      return call(...args)
    })
  }

  function transaction(write: () => void): void {
    database.exec('BEGIN IMMEDIATE')
    try {
      write()
      database.exec('COMMIT')
    } catch (error) {
      // A full disk may have ended the transaction already.
      if (database.isTransaction) database.exec('ROLLBACK')
      throw error
    }
  }

  function prepare() {
    const meta = createMeta(database)
    if (!readOnly) {
      transaction(() => {
        meta.set('identity', encodeIdentity(identity))
        meta.set('holder', process.pid)
        meta.set('clean', 0)
      })
    }
    const stored = meta.text('finalized')
    const chain = createChainTables(database)
    const staged = createStagedChain(
      {
        chain,
        undoDepth: options.undoDepth,
        finalized: stored === undefined ? undefined : decodeRef(stored),
        floor: BigInt(meta.number('undo_floor') ?? -1),
      },
      { logger },
    )
    return {
      meta,
      chain,
      staged,
      tables: createStateTables(database, options.log),
      outbox: createOutbox(database),
    }
  }

  let parts: ReturnType<typeof prepare>
  try {
    parts = prepare()
  } catch (error) {
    close()
    throw toStoreError(error, file)
  }
  const { meta, chain, staged, tables, outbox } = parts
  let finalized = staged.finalized()
  let entries: Omit<OutboxEntry, 'sequence'>[] = []
  let isDirty = false
  durable = staged.tip()

  function stage(effects: Effects): void {
    const { undone, accept } = staged.plan(effects)
    for (const values of undone) {
      for (const { table, key, value } of values.reverse()) tables.stage(table, key, value)
    }
    for (const { writes } of effects.apply) tables.stageWrites(writes)
    accept()
    entries.push(...effects.undoOutbox)
    for (const block of effects.apply) entries.push(...block.outbox)
    isDirty = true
  }

  function writeStaged(): void {
    tables.write()
    const pending = staged.pending()
    const kept = staged.kept()
    const floor = staged.floor()
    if (durable !== undefined && kept < durable.block.number) chain.orphan(kept, durable.block.number)
    for (const record of staged.orphaned()) chain.insertOrphan(record)
    for (const record of pending) chain.insert(record, { undoable: record.block.number > floor })
    const tip = staged.tip()?.block
    if (tip !== undefined && pending[0] !== undefined) {
      chain.index(pending[0].block.number, tip.number)
      prune(tip, floor)
    }
    outbox.write(entries)
    meta.set('undo_floor', Number(floor))
    const final = staged.finalized()
    if (final !== undefined && final !== finalized) meta.set('finalized', encodeRef(final))
  }

  function prune(tip: BlockRef, floor: bigint): void {
    const retain = BigInt(options.retainDecisions)
    const decisions = retain === 0n ? undefined : lower(floor, tip.number - retain)
    // The finalized block's own row is what FinishedHeight is looked up in.
    const final = (staged.finalized()?.number ?? 0n) - 1n
    const blocks = decisions === undefined ? undefined : lower(decisions - extraBlocks, final)
    chain.prune({ undo: floor, signatures: floor - signatureBlocks, orphans: floor, decisions, blocks })
  }

  function progress(): Progress {
    return {
      durable: durable?.block,
      finalized,
      totals: durable?.totals ?? emptyTotals,
      latticeHash: durable?.latticeHash ?? emptyHash,
      decisionsHash: durable?.decisionsHash ?? emptyHash,
    }
  }

  return {
    identity,
    stage: writing(stage),
    commit: writing(() => {
      if (!isDirty) return undefined
      transaction(writeStaged)
      tables.settle()
      outbox.settle(entries)
      durable = staged.tip()
      finalized = staged.finalized()
      staged.settle()
      entries = []
      isDirty = false
      return durable?.block
    }),
    undoneBlocks: writing((refs) =>
      staged.undone(refs).map(({ block, values }) => ({
        block,
        writes: values.map(({ table, key, value }) => ({
          ...{ table: stateTables[table]!, key: keyBytes(key), before: value, after: undefined },
        })),
      })),
    ),
    totalsAt: guarded((block) => staged.headAt(block)?.totals ?? emptyTotals),
    progress,
    finishedHeight: guarded(() => finishedHeight(durable?.block, finalized, chain.canonical)),
    canonicalBlock: guarded(chain.canonical),
    parentOf: guarded(chain.parentOf),
    locator: guarded(() => {
      const oldest = chain.oldest()
      if (durable === undefined || oldest === undefined) return []
      const from = finalized !== undefined && finalized.number > oldest ? finalized.number : oldest
      const refs = locatorNumbers(durable.block.number, lower(from, durable.block.number)).map(
        chain.canonical,
      )
      return refs.filter((ref) => ref !== undefined)
    }),
    account: guarded((pubkey) => ({ value: tables.get('account', pubkey), block: durable?.block })),
    value: guarded(tables.get),
    rows: tables.rows,
    recentBlocks: guarded(chain.recent),
    signatures: chain.signatures,
    findTransaction: guarded(chain.findTransaction),
    decisionsOf: guarded(chain.decisionsOf),
    latestDecisions: guarded(chain.latestDecisions),
    latestOrphans: guarded(chain.latestOrphans),
    readOutbox: guarded(outbox.read),
    deleteOutbox: writing(outbox.delete),
    outboxRows: outbox.rows,
    patternsPending: guarded(outbox.patternsPending),
    outboxPassed: guarded(() => {
      const tip = durable?.block.number ?? -1n
      const left = outbox.lowestBlock()
      return left === undefined ? tip : lower(left - 1n, tip)
    }),
    close: () => {
      if (!readOnly && database.isOpen) {
        if (isDirty)
          logger.warn({ durable: durable?.block }, 'Closed the store with effects that were not committed')
        try {
          transaction(() => {
            tables.writeAll()
            meta.set('clean', 1)
          })
          database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
        } catch (error) {
          // Everything committed is in the file; the next open only has more to read.
          logger.warn({ error: toStoreError(error, file) }, 'Closed the store without folding its log')
        }
      }
      if (database.isOpen) close()
    },
  }
}

function lower(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}

function encodeRef({ number, hash }: BlockRef): string {
  return `${number} ${hash}`
}

function decodeRef(text: string): BlockRef {
  const [number, hash] = text.split(' ') as [string, BlockRef['hash']]
  return { number: BigInt(number), hash }
}
