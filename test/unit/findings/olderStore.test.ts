import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { stateTables } from '../../../sidecar/notification/stateWrite.ts'
import { databaseFile } from '../../../sidecar/watermark/openDatabase.ts'
import { openTestStore, temporaryDirectory } from '../watermark/storeFixture.ts'

test('a data directory from before there were findings is migrated, also after it was killed', () => {
  const directory = temporaryDirectory()
  openTestStore(directory).close()
  const database = new DatabaseSync(databaseFile(directory))
  // The first release had six.
  for (const table of stateTables.slice(6)) database.exec(`DROP TABLE ${table}`)
  database.exec("PRAGMA user_version = 1; REPLACE INTO meta VALUES ('clean', 0)")
  database.close()
  const store = openTestStore(directory)
  expect([...store.rows('finding')]).toEqual([])
  expect(store.value('finding', new Uint8Array(9))).toBeUndefined()
})
