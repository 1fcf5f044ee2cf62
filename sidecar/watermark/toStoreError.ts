import type { BlockRef } from '../notification/types.ts'
import { DiskFullError, StoreDamagedError, StoreError, StoreIoError, StoreReadOnlyError } from './errors.ts'

/** Primary result codes of SQLite (the low byte of `errcode`), https://www.sqlite.org/rescode.html */
export const sqliteCode = {
  busy: 5,
  readOnly: 8,
  io: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  notADatabase: 26,
} as const

/** The primary SQLite result code of an error of `node:sqlite`, undefined for any other error. */
export function sqliteCodeOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number')
    return undefined
  return error.errcode & 0xff
}

/**
 * What an error of SQLite or of the file system means for the store. Errors that are already the store's, and errors
 * it knows nothing of (a fault in the program), come back as they are.
 * @param knownGood the newest readable block, named when the file turns out to be damaged
 */
export function toStoreError(error: unknown, file: string, knownGood?: BlockRef): unknown {
  if (error instanceof StoreError || !(error instanceof Error)) return error
  const options = { cause: error }
  switch (sqliteCodeOf(error)) {
    case sqliteCode.full:
      return new DiskFullError(file, options)
    case sqliteCode.readOnly:
    case sqliteCode.cannotOpen:
      return new StoreReadOnlyError(file, error.message, options)
    case sqliteCode.corrupt:
    case sqliteCode.notADatabase:
      return new StoreDamagedError(file, error.message, knownGood, options)
    case sqliteCode.io:
    case sqliteCode.busy:
      return new StoreIoError(file, error.message, options)
  }
  switch ('code' in error ? error.code : undefined) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new DiskFullError(file, options)
    case 'EROFS':
    case 'EACCES':
    case 'EPERM':
    case 'ENOTDIR':
    // What a recursive mkdir of Node answers on a read-only file system.
    case 'ENOENT':
    case 'EEXIST':
      return new StoreReadOnlyError(file, error.message, options)
    case 'EIO':
      return new StoreIoError(file, error.message, options)
  }
  return error
}
