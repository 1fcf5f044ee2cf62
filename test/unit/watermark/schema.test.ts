import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, onTestFinished, test } from 'vitest'
import { databaseFile } from '../../../sidecar/watermark/openDatabase.ts'
import {
  type Migration,
  migrate,
  schemaMigrations,
  schemaVersion,
} from '../../../sidecar/watermark/schema.ts'
import { createChainModel, createRandom, effectsOf } from './chainModel.ts'
import { openTestStore, temporaryDirectory } from './storeFixture.ts'

const addSource: Migration = {
  to: 2,
  up: (database) => {
    database.exec("ALTER TABLE orphans ADD COLUMN source TEXT NOT NULL DEFAULT 'chain'")
    database.exec("REPLACE INTO meta VALUES ('migrated', 1)")
  },
}
const failing: Migration = {
  to: 3,
  up: (database) => {
    database.exec('CREATE TABLE half (a)')
    database.exec('INSERT INTO no_such_table VALUES (1)')
  },
}

function fixture() {
  const directory = temporaryDirectory()
  const store = openTestStore(directory)
  const model = createChainModel()
  const random = createRandom(3)
  for (let n = 0; n < 4; n++) {
    const block = model.next('main', random)
    store.stage(effectsOf({ apply: [block] }))
    model.append(block)
  }
  store.stage(effectsOf({ undo: [model.tip()!] }))
  store.commit()
  store.close()
  const database = new DatabaseSync(databaseFile(directory))
  onTestFinished(() => database.close())
  return { directory, database, orphan: model.tip()! }
}

test('brings an older file to the newest version, with its rows', () => {
  const { database, orphan } = fixture()
  const { to } = schemaMigrations.at(-1)!
  expect(migrate(database, 'file', [...schemaMigrations, { ...addSource, to: to + 1 }])).toBe(to)
  expect(schemaVersion(database)).toBe(to + 1)
  expect(database.prepare('SELECT number, source FROM orphans').all()).toEqual([
    { number: Number(orphan.number), source: 'chain' },
  ])
  expect(
    migrate(database, 'file', [...schemaMigrations, { ...addSource, to: to + 1 }]),
    'a second time',
  ).toBe(to + 1)
})

test('a step that fails leaves the file at the version before it, and the next try goes on from there', () => {
  const database = new DatabaseSync(join(temporaryDirectory(), 'new.sqlite'))
  onTestFinished(() => database.close())
  expect(() => migrate(database, 'file', [schemaMigrations[0]!, addSource, failing])).toThrow(/no_such_table/)
  expect(schemaVersion(database)).toBe(2)
  expect(database.prepare("SELECT count(*) AS n FROM sqlite_schema WHERE name = 'half'").get()).toEqual({
    n: 0,
  })
  const repaired: Migration = { to: 3, up: (db) => db.exec('CREATE TABLE half (a)') }
  expect(migrate(database, 'file', [schemaMigrations[0]!, addSource, repaired])).toBe(2)
  expect(schemaVersion(database)).toBe(3)
})

test('a file of a later release is refused untouched', () => {
  const { directory, database } = fixture()
  database.exec('PRAGMA user_version = 99')
  expect(() => openTestStore(directory)).toThrow(
    expect.objectContaining({ code: 'STORE_TOO_NEW', message: expect.stringMatching(/version 99/) }),
  )
  expect(schemaVersion(database)).toBe(99)
})
