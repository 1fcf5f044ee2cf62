import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { databaseFile, readIdentity, walBytes } from '../../../sidecar/watermark/openDatabase.ts'
import { verifyStore } from '../../../sidecar/watermark/verifyStore.ts'
import { bytesOf, createChainModel, createRandom, effectsOf } from './chainModel.ts'
import { identity, modelAll, openTestStore, readAll, silent, temporaryDirectory } from './storeFixture.ts'

const coded = (code: string) => expect.objectContaining({ code })

function filledDirectory(blocks: number, directory = temporaryDirectory()) {
  const model = createChainModel()
  const store = openTestStore(directory)
  const random = createRandom(7)
  for (let n = 0; n < blocks; n++) {
    const block = model.next('main', random, { writes: 40, keys: 400, decisionBytes: 4000 })
    store.stage(effectsOf({ apply: [block] }))
    model.append(block)
  }
  store.commit()
  return { directory, model, store, random }
}

/** Overwrites bytes in the middle of every page from the second on, so that no table is left whole. */
function damage(file: string): void {
  const pages = statSync(file).size / 16_384
  const handle = openSync(file, 'r+')
  for (let page = 1; page < pages; page++) writeSync(handle, bytesOf('damage', 64), 0, 64, page * 16_384)
  closeSync(handle)
}

describe('identity', () => {
  test('binds the directory at its first open, and names every difference later', () => {
    const { directory, store } = filledDirectory(1)
    store.close()
    expect(readIdentity(directory, { logger: silent })).toEqual(identity)
    const other = {
      ...identity,
      start: 9n,
      settings: { ...identity.settings, 'learn.lag': '4', 'context.lag': '2' },
    }
    expect(() => openTestStore(directory, { identity: other })).toThrow(
      expect.objectContaining({
        code: 'IDENTITY_MISMATCH',
        differences: [
          { key: 'start', stored: '1', given: '9' },
          { key: 'learn.lag', stored: '8', given: '4' },
          { key: 'context.lag', stored: '(absent)', given: '2' },
        ],
        message: expect.stringMatching(
          /start is 1 there, 9 was given.*another --data-dir, or remove .* to rebuild/,
        ),
      }),
    )
    expect(() => openTestStore(directory, { identity: { ...identity, digest: 'other' } })).toThrow(/digest/)
    openTestStore(directory)
  })

  test('of a directory without a store is undefined', () => {
    expect(readIdentity(temporaryDirectory(), { logger: silent })).toBeUndefined()
  })
})

describe('a second process', () => {
  const committer = fileURLToPath(new URL('./committer.ts', import.meta.url))

  test('is refused while the first one lives, by its process id, and let in once it was killed', async () => {
    const directory = temporaryDirectory()
    const child = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', committer, directory, '1'],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    onTestFinished(() => void child.kill('SIGKILL'))
    for await (const text of child.stdout) if (String(text).includes('durable')) break
    expect(() => openTestStore(directory)).toThrow(
      expect.objectContaining({
        code: 'DATA_DIR_IN_USE',
        pid: child.pid,
        message: expect.stringContaining(`${child.pid}`),
      }),
    )
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect(openTestStore(directory).progress().durable).toBeDefined()
  })

  test('may read while the first one writes, and sees one moment', () => {
    const { directory, model, store, random } = filledDirectory(5)
    const before = modelAll(model)
    const reader = openTestStore(directory, { readOnly: true })
    const block = model.next('main', random)
    store.stage(effectsOf({ apply: [block] }))
    store.commit()
    expect(readAll(reader)).toEqual(before)
    expect(() => reader.stage(effectsOf({ apply: [block] }))).toThrow(coded('STORE_READ_ONLY'))
  })

  test('is also refused inside one process', () => {
    const { directory, store } = filledDirectory(1)
    expect(() => openTestStore(directory)).toThrow(coded('DATA_DIR_IN_USE'))
    expect(() => openTestStore(directory), 'a refusal must not drop the lock').toThrow(
      coded('DATA_DIR_IN_USE'),
    )
    store.close()
    openTestStore(directory)
  })
})

/** Mounts a small file system of its own over a directory; false where this user may not. It goes with the test. */
function mountTmpfs(directory: string, options: string): boolean {
  return spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', directory]).status === 0
}

const mayMount = (() => {
  const directory = mkdtempSync(join(tmpdir(), 'monmouth-mount-'))
  const mounted = mountTmpfs(directory, 'size=64k')
  if (mounted) spawnSync('umount', [directory])
  rmSync(directory, { recursive: true })
  if (!mounted) console.warn('tmpfs cannot be mounted by this user: full and read-only disks are not tested')
  return mounted
})()

describe('a place that cannot be written', () => {
  test.skipIf(!mayMount)('is named when the file system is read-only', () => {
    const directory = temporaryDirectory()
    expect(mountTmpfs(directory, 'ro')).toBe(true)
    onTestFinished(() => void spawnSync('umount', [directory]))
    expect(() => openTestStore(directory)).toThrow(coded('STORE_READ_ONLY'))
    expect(() => openTestStore(join(directory, 'data'))).toThrow(coded('STORE_READ_ONLY'))
  })

  test('is named when a file stands where the directory should be', () => {
    const file = join(temporaryDirectory(), 'file')
    writeFileSync(file, '')
    for (const directory of [file, join(file, 'data')]) {
      expect(() => openTestStore(directory), directory).toThrow(coded('STORE_READ_ONLY'))
    }
  })

  test('reading where there is no store is an error of its own', () => {
    expect(() => openTestStore(temporaryDirectory(), { readOnly: true })).toThrow(/there is no such file/)
  })
})

describe('a full disk', () => {
  test.skipIf(!mayMount)(
    'keeps what is staged, writes nothing by halves, and takes it once there is room',
    () => {
      const directory = temporaryDirectory()
      expect(mountTmpfs(directory, 'size=6m')).toBe(true)
      onTestFinished(() => void spawnSync('umount', [directory]))
      const { model, store, random } = filledDirectory(20, directory)
      const durable = modelAll(model)
      const filler = join(directory, 'filler')
      const handle = openSync(filler, 'w')
      let free = 1
      while (free > 0) {
        try {
          free = writeSync(handle, Buffer.alloc(65_536))
        } catch (error) {
          expect(error).toMatchObject({ code: 'ENOSPC' })
          free = 0
        }
      }
      closeSync(handle)
      for (let n = 0; n < 30; n++) {
        const block = model.next('main', random, { writes: 40, keys: 400, decisionBytes: 40_000 })
        store.stage(effectsOf({ apply: [block] }))
        model.append(block)
      }
      for (const attempt of [1, 2]) {
        expect(() => store.commit(), `attempt ${attempt}`).toThrow(coded('DISK_FULL'))
        expect(readAll(store), `attempt ${attempt}`).toEqual(durable)
      }
      rmSync(filler)
      expect(store.commit()).toEqual(model.tip())
      expect(readAll(store)).toEqual(modelAll(model))
      store.close()
      expect(verifyStore({ directory }, { logger: silent }).problems).toEqual([])
    },
  )
})

describe('a damaged file', () => {
  test('is named, with its newest readable block, and left as it is', () => {
    const { directory, model, store } = filledDirectory(30)
    store.close()
    const file = databaseFile(directory)
    const database = new DatabaseSync(file)
    database.exec("UPDATE meta SET value = 0 WHERE key = 'clean'")
    const page = Number(
      database.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'undo'").get()?.rootpage,
    )
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    database.close()
    const handle = openSync(file, 'r+')
    writeSync(handle, bytesOf('damage', 64), 0, 64, (page - 1) * 16_384)
    closeSync(handle)
    const before = readFileSync(file)
    expect(() => openTestStore(directory)).toThrow(
      expect.objectContaining({ code: 'STORE_DAMAGED', file, knownGood: model.tip() }),
    )
    expect(readFileSync(file).equals(before)).toBe(true)
    expect(verifyStore({ directory }, { logger: silent }).isSound).toBe(false)
  })

  test('is named when nothing of it can be read', () => {
    const { directory, store } = filledDirectory(30)
    store.close()
    damage(databaseFile(directory))
    expect(() => openTestStore(directory)).toThrow(coded('STORE_DAMAGED'))
    writeFileSync(databaseFile(directory), bytesOf('not a database', 100_000))
    expect(() => openTestStore(directory)).toThrow(coded('STORE_DAMAGED'))
    expect(existsSync(databaseFile(directory))).toBe(true)
  })

  test('is not looked for in a file of another program', () => {
    const directory = temporaryDirectory()
    mkdirSync(directory, { recursive: true })
    const database = new DatabaseSync(databaseFile(directory))
    database.exec('CREATE TABLE theirs (a)')
    database.close()
    expect(() => openTestStore(directory)).toThrow(/another program/)
  })
})

describe('verifyStore', () => {
  const tamper = (directory: string, sql: string) => {
    const database = new DatabaseSync(databaseFile(directory))
    database.exec(sql)
    database.close()
  }

  test.each([
    [
      'decisions',
      "UPDATE decisions SET decisions = x'00' WHERE number = 20",
      /block 20 do not give its decisions hash/,
    ],
    ['the parent', "UPDATE blocks SET parent = x'00' WHERE number = 20", /block 20 does not name block 19/],
    ['totals', 'UPDATE blocks SET transactions = transactions + 1 WHERE number = 20', /block 20 counts/],
    ['undo', 'DELETE FROM undo WHERE number = 28', /block 28 has no undo/],
    ['undo bytes', "UPDATE undo SET writes = x'0002' WHERE number = 28", /undo of block 28 cannot be read/],
    [
      'signatures',
      'INSERT OR REPLACE INTO signatures SELECT 1000, signatures FROM signatures',
      /ran in block/,
    ],
    ['a block', 'DELETE FROM blocks WHERE number = 15', /blocks after 14 up to 16 are missing/],
  ])('finds changed %s', (_, sql, problem) => {
    const { directory, store } = filledDirectory(30)
    store.close()
    expect(verifyStore({ directory }, { logger: silent })).toMatchObject({ isSound: true, blocks: 30 })
    tamper(directory, sql)
    const found = verifyStore({ directory }, { logger: silent })
    expect(found.isSound).toBe(false)
    expect(found.problems.join('\n')).toMatch(problem)
  })

  test('compares the lattice hash of the accounts with the newest block', () => {
    const { directory, model, store } = filledDirectory(5)
    const accounts = [...store.rows('account')].length
    let seen = 0
    const latticeHash = (rows: Iterable<unknown>) => {
      seen = [...rows].length
      return model.blocks.at(-1)!.latticeHash
    }
    expect(verifyStore({ directory, latticeHash }, { logger: silent }).problems).toEqual([])
    expect(seen).toBe(accounts)
    const wrong = verifyStore({ directory, latticeHash: () => new Uint8Array(32) }, { logger: silent })
    expect(wrong.problems).toEqual([expect.stringMatching(/the accounts hash to 0000/)])
  })
})

describe('the write-ahead log', () => {
  test('does not grow without bound under load', () => {
    const { directory, store, model, random } = filledDirectory(1)
    let largest = 0
    let written = 0
    for (let commit = 0; commit < 30; commit++) {
      for (let n = 0; n < 2; n++) {
        const block = { ...model.next('main', random), decisions: new Uint8Array(4_000_000) }
        store.stage(effectsOf({ apply: [block] }))
        model.append(block)
        written += 4_000_000
      }
      store.commit()
      largest = Math.max(largest, statSync(`${databaseFile(directory)}-wal`).size)
    }
    expect(written).toBeGreaterThan(3 * walBytes)
    // A commit may start just below the limit and end above it.
    expect(largest).toBeLessThan(walBytes + 2 * 8_000_000)
  }, 60_000)
})
