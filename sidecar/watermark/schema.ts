import type { DatabaseSync } from 'node:sqlite'
import { StoreTooNewError } from './errors.ts'

/** Marks a file as ours ("MNMH"), so that another program's database is never taken for a damaged one of ours. */
export const applicationId = 0x4d4e4d48

/** Brings a file from the version before to `to`. Runs inside a transaction together with the version number. */
export type Migration = { readonly to: number; readonly up: (database: DatabaseSync) => void }

/**
 * The schema, as the steps that led to it, oldest first. A released step is never edited; a change is a new step.
 *
 * `state_log` holds state writes that the state tables do not have yet (see stateTables.ts). Rows of `blocks`,
 * `decisions`, `transactions`, `undo` and `signatures` are canonical and keyed by number; undone blocks move to `orphans`.
 */
export const schemaMigrations: readonly Migration[] = [
  {
    to: 1,
    up: (database) => {
      database.exec(`
        CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
        CREATE TABLE state_log (sequence INTEGER PRIMARY KEY, writes BLOB NOT NULL);
        CREATE TABLE blocks (
          number INTEGER PRIMARY KEY, hash BLOB NOT NULL, parent BLOB NOT NULL, timestamp INTEGER NOT NULL,
          blocks INTEGER NOT NULL, transactions INTEGER NOT NULL,
          execute_on_svm INTEGER NOT NULL, execute_on_evm INTEGER NOT NULL, skip INTEGER NOT NULL,
          executed INTEGER NOT NULL, failed INTEGER NOT NULL, rejected INTEGER NOT NULL, deposits INTEGER NOT NULL,
          accounts INTEGER NOT NULL, lattice BLOB NOT NULL, decisions_hash BLOB NOT NULL
        );
        CREATE TABLE decisions (number INTEGER PRIMARY KEY, decisions BLOB NOT NULL, results BLOB NOT NULL);
        CREATE TABLE transactions (number INTEGER PRIMARY KEY, hashes BLOB NOT NULL);
        CREATE TABLE undo (number INTEGER PRIMARY KEY, writes BLOB NOT NULL);
        CREATE TABLE signatures (number INTEGER PRIMARY KEY, signatures BLOB NOT NULL);
        CREATE TABLE orphans (
          id INTEGER PRIMARY KEY, number INTEGER NOT NULL, hash BLOB NOT NULL, timestamp INTEGER NOT NULL,
          decisions BLOB NOT NULL, results BLOB NOT NULL, hashes BLOB NOT NULL
        );
        CREATE INDEX orphans_by_number ON orphans (number);
        CREATE TABLE transaction_index (id INTEGER PRIMARY KEY, entries BLOB NOT NULL);
        CREATE TABLE outbox (
          sequence INTEGER PRIMARY KEY, block_number INTEGER NOT NULL, block_hash BLOB NOT NULL,
          kind TEXT NOT NULL, rows INTEGER NOT NULL, payload BLOB NOT NULL
        );
        CREATE INDEX outbox_by_block ON outbox (block_number) WHERE kind <> 'finalized';
      `)
      for (const table of ['account', 'svm', 'pattern', 'outcome', 'context', 'projected']) {
        createStateTable(database, table)
      }
    },
  },
  { to: 2, up: (database) => createStateTable(database, 'finding') },
  { to: 3, up: (database) => createStateTable(database, 'model') },
]

function createStateTable(database: DatabaseSync, table: string): void {
  database.exec(`CREATE TABLE ${table} (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID`)
}

/** The schema version of an open file; 0 for a new one. */
export function schemaVersion(database: DatabaseSync): number {
  return Number(database.prepare('PRAGMA user_version').get()?.user_version ?? 0)
}

/**
 * Runs the steps a file lacks, each in a transaction of its own: killed in between, the next open goes on from there.
 * @returns the version found
 * @throws StoreTooNewError for a file of a later release, before anything is touched
 */
export function migrate(database: DatabaseSync, file: string, migrations: readonly Migration[]): number {
  const found = schemaVersion(database)
  const newest = migrations.at(-1)?.to ?? 0
  if (found > newest) throw new StoreTooNewError(file, found, newest)
  for (const migration of migrations) {
    if (migration.to <= found) continue
    database.exec('BEGIN IMMEDIATE')
    try {
      migration.up(database)
      database.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${migration.to}`)
      database.exec('COMMIT')
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK')
      throw error
    }
  }
  return found
}
