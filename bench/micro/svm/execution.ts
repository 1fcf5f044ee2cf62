/**
 * What following the chain costs on top of LiteSVM: envelope codec, rules, pre-images, lattice hash, undo.
 *
 *   node bench/micro/svm/execution.ts [transactions] [rounds]
 *
 * Raw is LiteSVM as it comes, `sendTransaction` on ready bytes with its signature check; ours is `readEnvelopes` and
 * `execute` on blocks of 200 of the same System transfers, every sender and recipient another. All run in turns in
 * one process; medians are compared, of wall time and of the main thread's own CPU time (on a shared machine the wall
 * clock measures the neighbours as well).
 */
import { Account, FailedTransactionMetadata, LiteSvm } from 'litesvm/dist/internal.js'
import pino from 'pino'
import type { Block } from '../../../sidecar/notification/types.ts'
import { createLiteSvmExecutor } from '../../../sidecar/svm/liteSvmExecutor.ts'
import { readEnvelopes } from '../../../sidecar/svm/readEnvelopes.ts'
import type { SvmExecutor } from '../../../sidecar/svm/types.ts'
import { chainOfTransfers, router } from './chainOfTransfers.ts'

const TRANSACTIONS = Number(process.argv[2] ?? 2000)
const ROUNDS = Number(process.argv[3] ?? 9)
const logger = pino({ level: 'silent' })
const { funding, blocks, transfers } = chainOfTransfers(TRANSACTIONS, 200)

const none = new Uint8Array(0)
const system = new Uint8Array(32)
const funded = new Account(10n ** 10n, none, system, false, 2n ** 64n - 1n)
const empty = new Account(0n, none, system, false, 0n)
const raw = new LiteSvm()
raw.setBlockhashCheck(false)
raw.setTransactionHistory(0n)

type Time = { readonly wall: number; readonly cpu: number }

/** Microseconds a transaction. */
async function timed(work: () => Promise<void> | void): Promise<Time> {
  const cpuStarted = process.threadCpuUsage()
  const started = performance.now()
  await work()
  const wall = ((performance.now() - started) * 1000) / TRANSACTIONS
  const { user, system: kernel } = process.threadCpuUsage(cpuStarted)
  return { wall, cpu: (user + kernel) / TRANSACTIONS }
}

function runRaw(): Promise<Time> {
  for (const { from, to } of transfers) {
    raw.setAccount(from, funded)
    raw.setAccount(to, empty)
  }
  return timed(() => {
    for (const { bytes } of transfers) {
      const result = raw.sendLegacyTransaction(bytes)
      if (result instanceof FailedTransactionMetadata) throw new Error(result.toString())
    }
  })
}

type Subject = { readonly executor: SvmExecutor; readonly times: Time[]; readonly undoTimes: Time[] }

async function execute(executor: SvmExecutor, block: Block, expected: string) {
  const envelopes = readEnvelopes(block, { router })
  const outcome = await executor.execute(block, envelopes, [...envelopes.keys()])
  for (const { status, reason } of outcome.results) {
    if (status !== expected) throw new Error(`${status}: ${reason}`)
  }
  return { block: block.ref, writes: outcome.writes }
}

async function createSubject(worker: boolean): Promise<Subject> {
  const executor = await createLiteSvmExecutor({ undoDepth: 64, worker }, { logger })
  for (const block of funding) await execute(executor, block, 'deposited')
  return { executor, times: [], undoTimes: [] }
}

async function runOurs({ executor, times, undoTimes }: Subject): Promise<void> {
  const applied: Awaited<ReturnType<typeof execute>>[] = []
  times.push(
    await timed(async () => {
      for (const block of blocks) applied.push(await execute(executor, block, 'executed'))
    }),
  )
  undoTimes.push(await timed(() => executor.undo(applied.reverse(), funding.at(-1)!.ref)))
}

const median = (times: readonly Time[], of: keyof Time): number =>
  times.map((time) => time[of]).sort((a, b) => a - b)[times.length >> 1] ?? Number.NaN

const rawTimes: Time[] = []
const alone = await createSubject(false)
const shared = await createSubject(true)
for (let round = 0; round < ROUNDS + 2; round++) {
  rawTimes.push(await runRaw())
  await runOurs(alone)
  await runOurs(shared)
}
// The first two rounds warm up.
for (const times of [rawTimes, alone.times, shared.times, alone.undoTimes]) times.splice(0, 2)
alone.executor.close()
shared.executor.close()

const row = (name: string, times: readonly Time[]): void => {
  const columns = (['wall', 'cpu'] as const).map((of) => {
    const microseconds = median(times, of)
    const percent = ((median(rawTimes, of) / microseconds) * 100).toFixed(0)
    return `${of} ${microseconds.toFixed(1).padStart(6)} us ${percent.padStart(4)} % of raw`
  })
  const rate = Math.round(1e6 / median(times, 'wall'))
  console.log(`${name.padEnd(34)} ${String(rate).padStart(6)} tx/s   ${columns.join('   ')}`)
}
console.log(`${TRANSACTIONS} transfers, blocks of 200, ${ROUNDS} rounds, medians`)
row('raw LiteSVM, signatures checked', rawTimes)
row('ours, one thread', alone.times)
row('ours, signatures shared', shared.times)
row('undo', alone.undoTimes)
