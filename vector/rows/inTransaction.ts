import type { DatabaseSync } from 'node:sqlite'

/** Carries out all of some writes or, when it throws, none; within another such call, as a part of that one. */
export function inTransaction(database: DatabaseSync, write: () => void): void {
  if (database.isTransaction) {
    write()
    return
  }
  database.exec('BEGIN IMMEDIATE')
  try {
    write()
    database.exec('COMMIT')
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
}
