/**
 * What deciding and settling costs, on recorded mainnet blocks re-chained and repeated. One thread; no wire, no VM and no
 * disk: the vector store is a map that returns the rows as of the boundary, as the real one promises.
 *
 *     node bench/micro/router/bench.ts [--repeat 40] [--scorer enhanced|pattern|seed] [--svm-share 0.2] [--new]
 *
 * The first pass meets every pattern for the first time; later passes are the same blocks again, so every pattern is known:
 * real traffic lies in between. With `--new` every block calls contracts that no other does.
 */
import { parseArgs } from 'node:util'
import type { Block } from '../../../sidecar/notification/types.ts'
import { BlockFeatures } from '../../../sidecar/router/blockFeatures.ts'
import { BlockPatterns } from '../../../sidecar/router/blockPatterns.ts'
import { createRouter } from '../../../sidecar/router/createRouter.ts'
import { PatternTable } from '../../../sidecar/router/patternTable.ts'
import { readDecisions } from '../../../sidecar/router/readDecisions.ts'
import { scorerNames } from '../../../sidecar/router/scorer.ts'
import type { EnvelopeFacts, ItemOutcome, PatternRow } from '../../../sidecar/router/types.ts'
import { dependencies, usualOptions } from '../../../test/unit/router/support/options.ts'
import { haveRealBlocks, readRealBlocks, rechained } from '../../../test/unit/router/support/realBlocks.ts'
import { createRandom } from '../../../test/unit/router/support/traffic.ts'

const { values } = parseArgs({
  options: {
    repeat: { type: 'string', default: '40' },
    scorer: { type: 'string', default: 'enhanced' },
    'svm-share': { type: 'string', default: '0' },
    new: { type: 'boolean', default: false },
  },
})
if (!haveRealBlocks)
  throw new Error('No recorded blocks: set MONMOUTH_SHARED to the folder that has data/ethereum.')

const repeat = Number(values.repeat)
const svmShare = Number(values['svm-share'])
const scorer = scorerNames.find((name) => name === values.scorer)
if (scorer === undefined) throw new Error(`--scorer: one of ${scorerNames.join(', ')}, not ${values.scorer}`)
const options = { ...usualOptions, scorer }
const blocks = readRealBlocks()
const perPass = blocks.reduce((sum, block) => sum + block.transactions.count, 0)
const envelopes = blocks.map((block) => drawEnvelopes(block, svmShare))

type Run = ReturnType<typeof createRun>

function createRun() {
  const rows = new Map<string, PatternRow>()
  const source = { patternsAt: async () => [...rows.values()] }
  return {
    rows,
    router: createRouter(options, dependencies(source), { rows: () => [], tip: undefined }),
    number: 0,
    /** Milliseconds, all in all and by part. */
    wall: 0,
    cpu: 0,
    spent: { prepare: 0, decide: 0, settle: 0, boundary: 0 },
    writes: 0,
    writeBytes: 0,
    blobBytes: 0,
    misses: 0,
    /** Milliseconds of `decide` and `settle`, by block. */
    blocks: [] as number[],
  }
}

/** All blocks once more. The thread's CPU time is the figure that a busy machine does not distort. */
async function pass(run: Run): Promise<void> {
  const { router, rows, spent } = run
  const cpu = process.threadCpuUsage()
  for (let i = 0; i < blocks.length; i++) {
    const number = ++run.number
    const block = rechained(values.new ? withNewContracts(blocks[i]!, number) : blocks[i]!, number)
    const t0 = performance.now()
    await router.prepare(block)
    const t1 = performance.now()
    const decisions = router.decide(block, envelopes[i]!)
    const t2 = performance.now()
    const outcomes: ItemOutcome[] = decisions.admitted.map((transactionIndex) => ({
      transactionIndex,
      status: 'executed',
      computeUnits: 1000,
    }))
    const t3 = performance.now()
    const settled = router.settle(block, outcomes)
    const t4 = performance.now()
    run.wall += t2 - t0 + (t4 - t3)
    run.blocks.push(t2 - t1 + (t4 - t3))
    spent.prepare += t1 - t0
    spent.decide += t2 - t1
    spent[settled.patterns === undefined ? 'settle' : 'boundary'] += t4 - t3
    for (const row of settled.patterns ?? []) rows.set(row.id, row)
    for (const { key, before, after } of settled.writes) {
      run.writeBytes += key.length + (before?.length ?? 0) + (after?.length ?? 0)
    }
    run.writes += settled.writes.length
    run.blobBytes += decisions.blob.length
    run.misses += decisions.cacheMisses
  }
  const used = process.threadCpuUsage(cpu)
  run.cpu += (used.user + used.system) / 1000
}

const run = createRun()
await pass(run)
report('first pass, cold', run, perPass)
const warm = Math.ceil(repeat / 4)
for (let i = 1; i < warm; i++) await pass(run)
const again = createRun()
await pass(again)
report('first pass', again, perPass)
Object.assign(run, { wall: 0, cpu: 0, writes: 0, writeBytes: 0, blobBytes: 0, misses: 0, blocks: [] })
Object.assign(run.spent, { prepare: 0, decide: 0, settle: 0, boundary: 0 })
for (let i = warm; i < repeat; i++) await pass(run)
const transactions = perPass * (repeat - warm)
report('steady', run, transactions)
for (const [part, ms] of Object.entries(run.spent)) {
  print(`  ${part}`, `${((ms * 1e6) / transactions).toFixed(0)} ns/tx`)
}
const perTransaction = (sum: number) => (sum / transactions).toFixed(2)
print(
  '  writes',
  `${perTransaction(run.writes)} a tx, ${perTransaction(run.writeBytes)} B/tx with pre-images`,
)
print('  blob', `${perTransaction(run.blobBytes)} B/tx`)
print('  searches', `${perTransaction(run.misses)} a tx`)
parts()

/** The first stages of `decide` by themselves, and reading back. */
function parts(): void {
  const features = new BlockFeatures()
  const patterns = new BlockPatterns()
  const table = new PatternTable(1)
  let distinct = 0
  const times = { features: 0, patterns: 0 }
  for (let round = 0; round < repeat; round++) {
    for (let i = 0; i < blocks.length; i++) {
      const { transactions } = blocks[i]!
      const t0 = performance.now()
      features.load(transactions)
      const t1 = performance.now()
      patterns.collect(features, transactions, envelopes[i]!, table)
      times.features += t1 - t0
      times.patterns += performance.now() - t1
      distinct += patterns.count
    }
  }
  print('features alone', `${((times.features * 1e6) / perPass / repeat).toFixed(0)} ns/tx`)
  print('patterns alone', `${((times.patterns * 1e6) / perPass / repeat).toFixed(0)} ns/tx`)
  print('distinct patterns', `${(distinct / perPass / repeat).toFixed(3)} a tx, ${table.count} in all`)
  const block = rechained(blocks[0]!, run.number + 1)
  const { blob } = run.router.decide(block, envelopes[0]!)
  const t0 = performance.now()
  for (let i = 0; i < 100; i++) readDecisions(blob, block.ref, block.transactions.hashes)
  const each = ((performance.now() - t0) * 1e6) / 100 / block.transactions.count
  print('reading decisions', `${each.toFixed(0)} ns each, such as:`)
  console.log(readDecisions(blob, block.ref, block.transactions.hashes)[0])
}

/** The block's calls of contracts that only block `number` knows. */
function withNewContracts(block: Block, number: number): Block {
  const to = Uint8Array.from(block.transactions.to)
  const view = new DataView(to.buffer)
  for (let at = 16; at < to.length; at += 20) view.setUint32(at, view.getUint32(at) ^ number)
  return { ...block, transactions: { ...block.transactions, to } }
}

function drawEnvelopes(block: Block, share: number): Map<number, EnvelopeFacts> {
  const random = createRandom(Number(block.ref.number))
  const drawn = new Map<number, EnvelopeFacts>()
  for (let row = 0; row < block.transactions.count; row++) {
    if (random(1000) >= share * 1000) continue
    const program = new Uint8Array(32).fill(random(50))
    const pattern = Uint8Array.from([...program.subarray(12), random(4), 0, 0, 0])
    const facts = { kind: 'transactions', rejected: undefined, pattern, programs: [program] } as const
    const payer = new Uint8Array(32).fill(random(250))
    drawn.set(row, { ...facts, payloadBytes: 215, items: 1, payer, computeUnitLimit: 5000, instructions: 1 })
  }
  return drawn
}

function report(name: string, { wall, cpu, blocks }: Run, count: number): void {
  const rate = (ms: number) =>
    `${((ms * 1e6) / count).toFixed(0)} ns/tx (${Math.round((count / ms) * 1e3).toLocaleString('en')} tx/s)`
  print(name, `${count} transactions: wall ${rate(wall)}, CPU with the bench's own ${rate(cpu)}`)
  const sorted = Float64Array.from(blocks).sort()
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!.toFixed(2)
  print('  a block', `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, most ${at(1)} ms`)
}

function print(name: string, figure: string): void {
  console.log(`${name.padEnd(18)} ${figure}`)
}
