import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Logger } from 'pino'
import { stateTables } from '../notification/stateWrite.ts'
import type { BlockRef } from '../notification/types.ts'
import { type DirectoryLock, lockDirectory } from './directoryLock.ts'
import { StoreDamagedError, StoreIoError, StoreTooNewError } from './errors.ts'
import { bytesToHash } from './hashBytes.ts'
import { decodeIdentity, type Identity } from './identity.ts'
import { createMeta } from './meta.ts'
import { applicationId, migrate, schemaMigrations, schemaVersion } from './schema.ts'
import { toStoreError } from './toStoreError.ts'

export type OpenDatabase = {
  readonly database: DatabaseSync
  readonly file: string
  readonly close: () => void
}

/** 16 KiB: blocks bring a few large blobs each, and the tables are written in slices of neighbours. */
const pageBytes = 16_384
/**
 * The WAL is copied back and started again from its beginning at this size, and is cut to it when it was larger. Copying
 * stops the commit that does it: four times the size saves little and stops it for four times as long.
 */
export const walBytes = 16 * 1024 * 1024
const cacheKiB = 16 * 1024

/** The data file of a directory. */
export function databaseFile(directory: string): string {
  return join(directory, 'state.sqlite')
}

/**
 * Opens the data file for writing: takes the lock, checks that it is ours and sound, migrates it.
 * @param check sees the stored identity before anything is changed; undefined in a new file
 */
export function openForWriting(
  directory: string,
  check: (stored: Identity | undefined) => void,
  { logger }: { readonly logger: Logger },
): OpenDatabase {
  const file = databaseFile(directory)
  let lock: DirectoryLock | undefined
  let database: DatabaseSync | undefined
  try {
    mkdirSync(directory, { recursive: true })
    lock = lockDirectory(directory, join(directory, 'lock.sqlite'), () => readHolder(file, logger))
    database = new DatabaseSync(file, { timeout: 0 })
    checkFile(database, file)
    database.exec(`PRAGMA page_size = ${pageBytes}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL`)
    database.exec(
      `PRAGMA wal_autocheckpoint = ${walBytes / pageBytes}; PRAGMA journal_size_limit = ${walBytes}`,
    )
    database.exec(`PRAGMA cache_size = -${cacheKiB}; PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY`)
    check(readStoredIdentity(database))
    checkSoundness(database, file, logger)
    const found = migrate(database, file, schemaMigrations)
    if (found > 0 && found < schemaVersion(database)) logger.info({ file, from: found }, 'Migrated the store')
    const open = { database, lock }
    return {
      database,
      file,
      close: () => {
        open.database.close()
        open.lock.release()
      },
    }
  } catch (error) {
    const known = readKnownGood(database, logger)
    database?.close()
    lock?.release()
    throw toStoreError(error, file, known)
  }
}

/** Opens the data file as of now, beside a writer or without one. Nothing later is seen until it is opened again. */
export function openForReading(
  directory: string,
  check: (stored: Identity | undefined) => void,
  { logger }: { readonly logger: Logger },
): OpenDatabase {
  const file = databaseFile(directory)
  if (!existsSync(file)) throw new StoreIoError(file, 'there is no such file')
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(file, { readOnly: true, timeout: 1000 })
    checkFile(database, file)
    const found = schemaVersion(database)
    const newest = schemaMigrations.at(-1)!.to
    if (found < newest) {
      throw new StoreIoError(
        file,
        `its schema version ${found} is older than ${newest}; start the sidecar once to migrate`,
      )
    }
    database.exec('BEGIN')
    check(readStoredIdentity(database))
    const open = database
    return { database, file, close: () => open.close() }
  } catch (error) {
    const known = readKnownGood(database, logger)
    database?.close()
    throw toStoreError(error, file, known)
  }
}

/** The identity a data directory is bound to; undefined when there is no store in it yet. Takes no lock. */
export function readIdentity(directory: string, deps: { readonly logger: Logger }): Identity | undefined {
  if (!existsSync(databaseFile(directory))) return undefined
  const database = new DatabaseSync(databaseFile(directory), { readOnly: true, timeout: 1000 })
  try {
    checkFile(database, databaseFile(directory))
    return readStoredIdentity(database)
  } catch (error) {
    throw toStoreError(error, databaseFile(directory), readKnownGood(database, deps.logger))
  } finally {
    database.close()
  }
}

function readStoredIdentity(database: DatabaseSync): Identity | undefined {
  if (schemaVersion(database) === 0) return undefined
  const text = createMeta(database).text('identity')
  return text === undefined ? undefined : decodeIdentity(text)
}

function checkFile(database: DatabaseSync, file: string): void {
  const found = database.prepare('PRAGMA application_id').get()?.application_id
  const tables = Number(database.prepare('SELECT count(*) AS count FROM sqlite_schema').get()?.count)
  if (found !== applicationId && tables > 0) {
    throw new StoreDamagedError(file, 'it is a SQLite file of another program', undefined)
  }
  const newest = schemaMigrations.at(-1)!.to
  const version = schemaVersion(database)
  if (version > newest) throw new StoreTooNewError(file, version, newest)
}

/**
 * After an end that was not clean, looks through what the next block builds on. Only that, so that recovery takes as
 * long as the state is large, not as the history is; `verifyStore` looks at everything.
 */
function checkSoundness(database: DatabaseSync, file: string, logger: Logger): void {
  if (schemaVersion(database) === 0 || createMeta(database).number('clean') === 1) return
  const started = performance.now()
  // A file of an earlier release lacks the tables that the migration is about to make.
  const exists = database.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?")
  const made = stateTables.filter((table) => exists.get(table) !== undefined)
  for (const table of ['meta', 'state_log', 'undo', 'signatures', 'outbox', ...made]) {
    const rows = database.prepare(`PRAGMA quick_check('${table}')`).all()
    const problem = rows.map((row) => String(Object.values(row)[0])).find((text) => text !== 'ok')
    if (problem !== undefined) {
      throw new StoreDamagedError(file, `table ${table}: ${problem}`, readKnownGood(database, logger))
    }
  }
  logger.info(
    { file, milliseconds: Math.round(performance.now() - started) },
    'Checked the store after an unclean end',
  )
}

function readHolder(file: string, logger: Logger): number | undefined {
  if (!existsSync(file)) return undefined
  const database = new DatabaseSync(file, { readOnly: true, timeout: 0 })
  try {
    return createMeta(database).number('holder')
  } catch (error) {
    logger.debug({ file, error }, 'Could not read which process holds the store')
    return undefined
  } finally {
    database.close()
  }
}

/** The newest block row of a file that may be damaged. */
export function readKnownGood(database: DatabaseSync | undefined, logger: Logger): BlockRef | undefined {
  if (database === undefined || !database.isOpen) return undefined
  try {
    if (schemaVersion(database) === 0) return undefined
    const row = database.prepare('SELECT number, hash FROM blocks ORDER BY number DESC LIMIT 1').get()
    if (row === undefined) return undefined
    return { number: BigInt(row.number as number), hash: bytesToHash(row.hash as Uint8Array) }
  } catch (error) {
    logger.debug({ error }, 'No block could be read')
    return undefined
  }
}
