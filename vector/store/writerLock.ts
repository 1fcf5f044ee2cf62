import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'
import { VectorStoreError } from '../errors.ts'
import { errorText } from './failure.ts'

/** How long a writer that is just ending is waited for, and between two looks. */
const PATIENCE_MS = 5_000
const LOOK_MS = 25
/** SQLITE_BUSY. */
const BUSY = 5

/** Let go of once or more often. */
export type WriterLock = { release(): void }

/**
 * Makes this process the one that writes in a folder: LanceDB itself lets any number write, and their rows mix. A holder
 * that is ending is waited for.
 *
 * The lock is a transaction held open on an empty SQLite file of its own: the system drops it with the process, however
 * that ends, so there is no stale lock to clear away.
 * @throws VectorStoreError `STORE_IN_USE` when another process keeps it, `STORE_FAILED` when the folder takes no file
 */
export async function lockForWriting(directory: string): Promise<WriterLock> {
  const patienceEnds = performance.now() + PATIENCE_MS
  for (;;) {
    const database = openLockFile(directory)
    try {
      database.exec('BEGIN EXCLUSIVE')
      return {
        release() {
          if (database.isOpen) database.close()
        },
      }
    } catch (cause) {
      database.close()
      if ((cause as { errcode?: number }).errcode !== BUSY) throw failed(directory, cause)
      if (performance.now() < patienceEnds) await delay(LOOK_MS)
      else {
        throw new VectorStoreError(
          'STORE_IN_USE',
          `vector store: ${directory} is being written by another process: stop that one, or open this for reading only`,
          { cause, facts: { directory } },
        )
      }
    }
  }
}

function openLockFile(directory: string): DatabaseSync {
  try {
    mkdirSync(directory, { recursive: true })
    return new DatabaseSync(join(directory, 'writer.lock'), { timeout: 0 })
  } catch (cause) {
    throw failed(directory, cause)
  }
}

function failed(directory: string, cause: unknown): VectorStoreError {
  return new VectorStoreError(
    'STORE_FAILED',
    `vector store: cannot make the folder ${directory} or its lock file: ${errorText(cause)}`,
    { cause, facts: { directory } },
  )
}
