import type { DatabaseSync } from 'node:sqlite'

/** The few single values of a store, by name: `identity`, `clean`, `holder`, `finalized`, `undo_floor`, `outbox_next`. */
export type Meta = {
  readonly text: (key: string) => string | undefined
  readonly number: (key: string) => number | undefined
  readonly set: (key: string, value: string | number) => void
}

/** Reads and writes table `meta`. A value of the wrong type reads as absent. */
export function createMeta(database: DatabaseSync): Meta {
  const get = database.prepare('SELECT value FROM meta WHERE key = ?')
  const put = database.prepare('REPLACE INTO meta VALUES (?, ?)')
  return {
    text: (key) => {
      const value = get.get(key)?.value
      return typeof value === 'string' ? value : undefined
    },
    number: (key) => {
      const value = get.get(key)?.value
      return typeof value === 'number' ? value : undefined
    },
    set: (key, value) => {
      put.run(key, value)
    },
  }
}
