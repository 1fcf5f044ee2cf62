/**
 * A real node with the server inside: `MONMOUTH_RETH=… node bench/reth/main.ts [--blocks N] [--seconds N]`. Prints one JSON document.
 *
 * live      blocks of 50 transactions at 10 a second: from the forkchoice that makes a block the head to reth's notification, its
 *           write to the log of notifications (WAL), the notification whole at the sidecar, and the durable
 *           acknowledgement; and from the later of durable and final to FinishedHeight being taken by reth. By reth's own log and
 *           the sidecar's events, on one clock.
 * catchUp   N blocks of 5 transactions (default 10 000) read from the node's database: by a consumer that only counts, and by a
 *           new sidecar until all is durable
 * memory    of the node with ten consumers, three of which take one notification and no more, against none; what the
 *           shim itself keeps, by its own gauge
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import {
  createConsensusDriver,
  createRpc,
  type Stretch,
  startReth,
  startSidecar,
  stretches,
  watchLatency,
} from '#harness'
import { nowMs } from '../../harness/latency/watchLatency.ts'
import { createTransfers } from '../../harness/workload/createTransfers.ts'
import { openRawConsumer } from '../../test/reth/rawConsumer.ts'
import { metricOf } from '../../test/reth/startPair.ts'

const { values } = parseArgs({
  options: { blocks: { type: 'string', default: '10000' }, seconds: { type: 'string', default: '20' } },
})
const binary = process.env.MONMOUTH_RETH
if (binary === undefined) {
  console.error('expected the program monmouth-reth in MONMOUTH_RETH, it is not set')
  process.exit(2)
}
const finalityDepth = 32
const folder = await mkdtemp(join(tmpdir(), 'monmouth-bench-reth-'))
await using resources = new AsyncDisposableStack()
resources.defer(() => rm(folder, { recursive: true, force: true }))
const node = resources.use(
  await startReth({
    binary,
    dataDir: join(folder, 'node'),
    flags: ['--log.stdout.filter', 'info,exex::manager=debug,exex::wal::storage=debug'],
  }),
)
const driver = await createConsensusDriver({ ...node, finalityDepth })
const transfers = await createTransfers({ ...node, seed: 'bench' })
const url = `grpc://${node.exexAddress}`
const progress = (text: string) => process.stderr.write(`${text}\n`)

progress('live…')
const live = await measureLive()
progress(`catchUp: ${values.blocks} blocks…`)
const catchUp = await measureCatchUp(Number(values.blocks))
progress('memory…')
const memory = await measureMemory()
console.log(JSON.stringify({ live, catchUp, memory }, undefined, 2))
await resources.disposeAsync()
process.exit(0)

async function measureLive() {
  const sidecar = await startSidecar({ url, dataDir: join(folder, 'live'), logLevel: 'warn' })
  const watch = await watchLatency(sidecar)
  /** Heights to when they were committed, and when a height became final. */
  const committed = new Map<number, number>()
  const finalAt = new Map<number, number>()
  const mine = async () => {
    const { number, hash, committedMs } = await driver.mine()
    watch.committed(hash, committedMs)
    committed.set(Number(number), committedMs)
    finalAt.set(Number(driver.finalized().number), committedMs)
    return hash
  }
  for (let block = 0; block < finalityDepth + 8; block++) await mine()
  await watch.acknowledged(driver.head().hash)
  watch.reset()
  const first = Number(driver.head().number) + 1
  const began = nowMs()
  const count = Number(values.seconds) * 10
  for (let block = 0; block < count; block++) {
    await transfers.send(50)
    await delay(Math.max(0, began + block * 100 - nowMs()))
    await mine()
  }
  await watch.acknowledged(driver.head().hash)
  // The last height goes to the node a moment after its acknowledgement.
  await delay(500)
  const log = readLog(node.logs())
  const of = (pick: (number: number) => number | undefined) => {
    const found: number[] = []
    for (let number = first; number < first + count; number++) {
      const ms = pick(number)
      if (ms !== undefined) found.push(ms)
    }
    return percentiles(found)
  }
  const between = (from: Map<number, number>, to: Map<number, number>) => (number: number) => {
    const [start, end] = [from.get(number), to.get(number)]
    return start === undefined || end === undefined ? undefined : end - start
  }
  const nodeTime = watch.nodeTimes()
  const durableAt = watch.durableTimes()
  const summary = watch.summary()
  await watch[Symbol.asyncDispose]()
  await sidecar.stop()
  return {
    blocks: count,
    forkchoiceToNotification: of(between(committed, log.received)),
    writeAheadLog: of(between(log.writing, nodeTime)),
    ...(Object.fromEntries(
      (Object.keys(stretches) as Stretch[]).map((stretch) => [stretch, summary[stretch]]),
    ) as Record<Stretch, unknown>),
    durableAndFinalToHeightTaken: of((number) => {
      const [taken, final, durable] = [log.taken.get(number), finalAt.get(number), durableAt.get(number)]
      if (taken === undefined || final === undefined || durable === undefined) return undefined
      return taken - Math.max(final, durable)
    }),
  }
}

async function measureCatchUp(blocks: number) {
  const rpc = createRpc(node.rpcUrl)
  for (let block = 0; block < blocks; block++) {
    if (block % 4 === 0) await transfers.send(20)
    await driver.mine()
    if (block % 1000 === 999) progress(`  ${block + 1} blocks built`)
  }
  const head = driver.head()
  const began = nowMs()
  using reader = openRawConsumer(node.exexAddress, 'reader')
  while (reader.tip() < head.number) await delay(5)
  const readSeconds = (nowMs() - began) / 1000
  const sidecar = await startSidecar({ url, dataDir: join(folder, 'catch-up'), logLevel: 'warn' })
  const from = nowMs()
  await sidecar.untilDurable(head, 600_000)
  const durableSeconds = (nowMs() - from) / 1000
  const { transactions } = await sidecar.status()
  await sidecar.stop()
  const all = Number(await rpc.call<string>('eth_blockNumber'))
  return {
    blocks: all,
    transactions,
    megabytes: Math.round(Number(reader.bytes()) / 1e6),
    read: { seconds: readSeconds, blocksPerSecond: Math.round(all / readSeconds) },
    durable: { seconds: durableSeconds, blocksPerSecond: Math.round(all / durableSeconds) },
  }
}

async function measureMemory() {
  const resident = async () => Math.round((await metricOf(node, 'reth_process_resident_memory_bytes'))! / 1e6)
  const before = await resident()
  const consumers = Array.from({ length: 10 }, (_, index) =>
    openRawConsumer(node.exexAddress, `consumer-${index}`, index < 3 ? { everyMs: 3_600_000 } : {}),
  )
  const free = consumers.slice(3)
  while (free.some((consumer) => consumer.tip() < driver.head().number)) await delay(10)
  const caughtUp = await resident()
  for (let block = 0; block < 300; block++) {
    await transfers.send(50)
    await driver.mine()
  }
  while (free.some((consumer) => consumer.tip() < driver.head().number)) await delay(10)
  const after = await resident()
  const ringBytes = (await metricOf(node, 'reth_exex_shim_ring_bytes'))!
  for (const consumer of consumers) consumer[Symbol.dispose]()
  return {
    residentMegabytes: { before, caughtUp, after300Blocks: after },
    ringMegabytes: Math.round(ringBytes / 1e4) / 100,
  }
}

/** When reth had notifications, wrote them to its log, and took heights: by block number, Unix milliseconds. */
function readLog(text: string) {
  const received = new Map<number, number>()
  const writing = new Map<number, number>()
  const taken = new Map<number, number>()
  let tip = 0
  for (const line of text.split('\n')) {
    const at = timeOf(line)
    if (at === undefined) continue
    const committed = /Received new notification committed_tip=Some\((\d+)\)/.exec(line)
    if (committed) {
      tip = Number(committed[1])
      received.set(tip, at)
    } else if (line.includes('Writing notification to WAL')) writing.set(tip, at)
    else {
      const height = /Received event from ExEx.*number: (\d+)/.exec(line)
      if (height && !taken.has(Number(height[1]))) taken.set(Number(height[1]), at)
    }
  }
  return { received, writing, taken }
}

/** `2026-01-01T00:00:00.123456Z`, with its microseconds. */
function timeOf(line: string): number | undefined {
  const found = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d+)Z/.exec(line)
  return found === null ? undefined : Date.parse(`${found[1]}Z`) + Number(`0.${found[2]}`) * 1000
}

function percentiles(milliseconds: readonly number[]) {
  const sorted = [...milliseconds].sort((a, b) => a - b)
  const at = (share: number) =>
    Math.round((sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN) * 100) / 100
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) }
}
