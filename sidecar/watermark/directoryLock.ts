import { DatabaseSync } from 'node:sqlite'
import { DataDirInUseError } from './errors.ts'
import { sqliteCode, sqliteCodeOf } from './toStoreError.ts'

export type DirectoryLock = { readonly release: () => void }

/**
 * Takes the exclusive lock of a data directory, or throws `DataDirInUseError` at once.
 *
 * The lock is a transaction held open on an empty SQLite file of its own: the system drops it with the process, however
 * that ends, so there is no stale lock to clear away. The data file itself stays open to readers.
 * @param holder looks up the process id of the present holder, for the message
 */
export function lockDirectory(
  directory: string,
  file: string,
  holder: () => number | undefined,
): DirectoryLock {
  const database = new DatabaseSync(file, { timeout: 0 })
  try {
    database.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    if (sqliteCodeOf(error) !== sqliteCode.busy) throw error
    throw new DataDirInUseError(directory, holder(), { cause: error })
  }
  return { release: () => database.close() }
}
