/**
 * What durability costs, on the disk the directory is on: `node bench/micro/watermark/storeBench.ts [DIRECTORY [PARTS]]`.
 * Prints one line of JSON per measurement. Times are wall clock; `cpu…` is the processor time of the same calls, which
 * a busy machine stretches less.
 */
import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import type { StateWrite } from '../../../sidecar/notification/stateWrite.ts'
import type { BlockRef } from '../../../sidecar/notification/types.ts'
import { openStore } from '../../../sidecar/watermark/openStore.ts'
import type { StateTablesOptions } from '../../../sidecar/watermark/stateTables.ts'
import type { BlockEffects } from '../../../sidecar/watermark/types.ts'

const transactionsPerBlock = 268
const logger = pino({ level: 'warn' })
const root = mkdtempSync(join(process.argv[2] ?? tmpdir(), 'monmouth-bench-'))
const totals = {
  ...{ blocks: 0, transactions: 0, executeOnSvm: 0, executeOnEvm: 0, skip: 0 },
  ...{ executed: 0, failed: 0, rejected: 0, deposits: 0, accounts: 0 },
}

function open(name: string, undoDepth = 1024, log?: StateTablesOptions) {
  const identity = { chainId: 1n, genesisHash: refOf(0).hash, start: 1n, settings: {}, digest: '' }
  return openStore({ directory: join(root, name), identity, undoDepth, retainDecisions: 0, log }, { logger })
}

function refOf(number: number): BlockRef {
  return { number: BigInt(number), hash: `0x${createHash('sha256').update(`${number}`).digest('hex')}` }
}

// Cut from one random pool, so that making the input is not what is measured.
const pool = randomBytes(16 * 1024 * 1024)
let poolAt = 0
function cut(length: number): Uint8Array {
  if (poolAt + length > pool.length) poolAt = 0
  poolAt += length
  return pool.subarray(poolAt - length, poolAt)
}

function blockOf(number: number, writes: StateWrite[], fresh = true): BlockEffects {
  return {
    ...{ block: refOf(number), parent: refOf(number - 1), timestamp: BigInt(number), writes },
    ...{ signatures: Array.from({ length: 40 }, () => cut(64)), decisions: cut(10_000) },
    transactionHashes: fresh
      ? new Uint8Array(randomBytes(32 * transactionsPerBlock))
      : cut(32 * transactionsPerBlock),
    ...{ results: cut(1000), latticeHash: cut(32), outbox: [] },
    totals: { ...totals, blocks: number, transactions: number * transactionsPerBlock },
  }
}

const effects = (apply: BlockEffects[]) => ({ undo: [], undoOutbox: [], apply, finalized: undefined })
const accountKeys = Array.from({ length: 100_000 }, () => new Uint8Array(randomBytes(32)))
const patternKeys = Array.from({ length: 40_000 }, () => new Uint8Array(randomBytes(24)))

function accountWrites(from: number, count: number): StateWrite[] {
  return Array.from({ length: count }, (_, n) => ({
    ...{ table: 'account' as const, key: accountKeys[(from + n * 7919) % accountKeys.length]! },
    ...{ before: cut(140), after: cut(140) },
  }))
}

function patternWrites(keys: readonly Uint8Array[]): StateWrite[] {
  return keys.map((key) => ({ table: 'pattern' as const, key, before: cut(64), after: cut(64) }))
}

function report(what: string, facts: Record<string, number | string>): void {
  const rounded = Object.entries(facts).map(([key, value]) => [
    key,
    typeof value === 'number' ? Number(value.toPrecision(3)) : value,
  ])
  console.log(JSON.stringify({ what, ...Object.fromEntries(rounded) }))
}

function percentile(times: readonly number[], share: number): number {
  return times.toSorted((a, b) => a - b)[Math.min(times.length - 1, Math.floor(times.length * share))]!
}

/** What the state log is compared with: every commit writes all rows of the one before to the tables. */
const foldAtOnce = { foldKeys: 1, sliceKeys: Number.POSITIVE_INFINITY }

function oneBlock(how: string, log?: StateTablesOptions): void {
  const store = open(`one-${how}`, 1024, log)
  const stageMs: number[] = []
  const commitMs: number[] = []
  for (let number = 1; number <= 1500; number++) {
    const patterns = Array.from({ length: 150 }, (_, n) => patternKeys[(number * 131 + n * 17) % 20_000]!)
    const block = blockOf(number, [...accountWrites(number * 80, 80), ...patternWrites(patterns)])
    const start = performance.now()
    store.stage(effects([block]))
    const staged = performance.now()
    store.commit()
    stageMs.push(staged - start)
    commitMs.push(performance.now() - staged)
  }
  report(`one block a commit, ${how}: 80 accounts, 150 patterns, 10 kB of decisions`, {
    stageP50Ms: percentile(stageMs, 0.5),
    commitP50Ms: percentile(commitMs, 0.5),
    commitP99Ms: percentile(commitMs, 0.99),
    commitMaxMs: Math.max(...commitMs),
  })
  store.close()
}

/** Groups of 100 blocks whose 15 000 pattern writes name 9 000 keys, drawn from `universe` keys. */
function groups(universe: number, how: string, log?: StateTablesOptions): void {
  const name = `groups-${universe}-${how}`
  const store = open(name, 1024, log)
  const stageMs: number[] = []
  const commitMs: number[] = []
  const cpuMicroseconds: number[] = []
  for (let group = 0; group < 40; group++) {
    const blocks: BlockEffects[] = []
    for (let n = 0; n < 100; n++) {
      const patterns = Array.from(
        { length: 150 },
        (_, k) => patternKeys[(group * 3371 + ((n * 150 + k) % 9000)) % universe]!,
      )
      blocks.push(blockOf(group * 100 + n + 1, patternWrites(patterns)))
    }
    const cpu = process.cpuUsage()
    const start = performance.now()
    for (const block of blocks) store.stage(effects([block]))
    const staged = performance.now()
    store.commit()
    stageMs.push(staged - start)
    commitMs.push(performance.now() - staged)
    const { user, system } = process.cpuUsage(cpu)
    cpuMicroseconds.push(user + system)
  }
  const transactions = 100 * transactionsPerBlock
  const all = [...stageMs, ...commitMs].reduce((sum, ms) => sum + ms, 0)
  report(`100 blocks a commit, ${how}: 9 000 of ${universe} patterns each`, {
    stageP50Ms: percentile(stageMs, 0.5),
    commitP50Ms: percentile(commitMs, 0.5),
    commitMaxMs: Math.max(...commitMs),
    microsecondsPerTransactionP50:
      ((percentile(stageMs, 0.5) + percentile(commitMs, 0.5)) * 1000) / transactions,
    microsecondsPerTransaction: (all * 1000) / (40 * transactions),
    cpuMicrosecondsPerTransactionP50: percentile(cpuMicroseconds, 0.5) / transactions,
    cpuMicrosecondsPerTransaction: cpuMicroseconds.reduce((sum, each) => sum + each, 0) / (40 * transactions),
    transactionsPerSecond: (40 * transactions * 1000) / all,
    walMiB: statSync(join(root, name, 'state.sqlite-wal')).size / 2 ** 20,
  })
  store.close()
}

function load(): void {
  const first = open('load')
  for (let n = 0; n < 10; n++) {
    const writes = accountKeys.slice(n * 10_000, (n + 1) * 10_000).map((key) => ({
      ...{ table: 'account' as const, key, before: undefined, after: cut(140) },
    }))
    first.stage(effects([blockOf(n + 1, writes)]))
    first.commit()
  }
  // A reader sees the files as a killed process leaves them: part of the accounts is in the log only.
  for (const how of ['killed', 'closed']) {
    if (how === 'closed') first.close()
    const start = performance.now()
    const reader = openStore(
      {
        directory: join(root, 'load'),
        identity: first.identity,
        ...{ undoDepth: 1024, retainDecisions: 0, readOnly: true },
      },
      { logger },
    )
    const opened = performance.now()
    let rows = 0
    for (const { key, value } of reader.rows('account')) rows += key.length > 0 && value.length > 0 ? 1 : 0
    report(`100 000 accounts read after the writer was ${how}`, {
      openMs: opened - start,
      readMs: performance.now() - opened,
      rows,
    })
    reader.close()
  }
}

function undo(): void {
  const store = open('undo')
  for (let number = 1; number <= 400; number++) {
    const patterns = Array.from({ length: 150 }, (_, n) => patternKeys[(number * 131 + n * 17) % 20_000]!)
    store.stage(effects([blockOf(number, [...accountWrites(number * 80, 80), ...patternWrites(patterns)])]))
    if (number % 10 === 0) store.commit()
  }
  const times: number[] = []
  for (let tip = 400; tip > 80; tip -= 64) {
    const refs = Array.from({ length: 64 }, (_, n) => refOf(tip - n))
    const start = performance.now()
    store.undoneBlocks(refs)
    store.stage({ undo: refs, undoOutbox: [], apply: [], finalized: undefined })
    store.commit()
    times.push(performance.now() - start)
  }
  report('undo of 64 blocks: pre-images read twice, staged, committed', {
    p50Ms: percentile(times, 0.5),
    maxMs: Math.max(...times),
  })
  store.close()
}

function find(): void {
  const count = 100_000
  const store = open('find', 64)
  const wanted: Uint8Array[] = []
  const start = performance.now()
  for (let number = 1; number <= count; number++) {
    const block = { ...blockOf(number, []), decisions: cut(100), results: cut(10), signatures: [] }
    if (number % 1000 === 77 || number > count - 20) wanted.push(block.transactionHashes.slice(3200, 3232))
    store.stage(effects([block]))
    if (number % 500 === 0) store.commit()
  }
  const built = performance.now()
  const times = wanted.map((hash) => {
    const from = performance.now()
    if (store.findTransaction(hash)[0]?.index !== 100) throw new Error('a stored transaction was not found')
    return performance.now() - from
  })
  const missing = Array.from({ length: 50 }, () => {
    const hash = randomBytes(32)
    const from = performance.now()
    store.findTransaction(hash)
    return performance.now() - from
  })
  report(`look-up among ${count} blocks, ${count * transactionsPerBlock} transactions`, {
    foundP50Ms: percentile(times, 0.5),
    foundMaxMs: Math.max(...times),
    missingP50Ms: percentile(missing, 0.5),
    buildMicrosecondsPerTransaction: ((built - start) * 1000) / (count * transactionsPerBlock),
    fileMiB: statSync(join(root, 'find', 'state.sqlite')).size / 2 ** 20,
  })
  store.close()
}

const parts: Record<string, () => void> = {
  one: () => {
    oneBlock('log')
    oneBlock('tables', foldAtOnce)
  },
  groups: () => {
    for (const universe of [9000, 20_000, 40_000]) groups(universe, 'log')
    groups(20_000, 'tables', foldAtOnce)
  },
  ...{ load, undo, find },
}
try {
  for (const part of process.argv[3]?.split(',') ?? Object.keys(parts)) parts[part]!()
} finally {
  rmSync(root, { recursive: true, force: true })
}
