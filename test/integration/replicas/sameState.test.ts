import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { startTcpLink } from '#harness'
import type { Status } from '../../../sidecar/status.ts'
import { statusOf } from '../../support/program/programAnswers.ts'
import { type Program, startProgram } from '../../support/program/startProgram.ts'
import { temporaryFolder } from '../../support/program/temporaryFolder.ts'
import { type ScriptedServer, startScriptedServer } from '../exex/startScriptedServer.ts'
import { createForkedChain } from './forkedChain.ts'
import { readReplica, replicaDifferences } from './readReplica.ts'

/** How deep the ten reorgs are. */
const depths = [1, 3, 2, 8, 1, 20, 5, 2, 13, 4]
/** Blocks that the vector store takes into graph and memories at once. */
const epoch = 8n
/** Whoever else is on the machine. */
const patienceMs = 240_000
/** What both have: it enters decisions, or says what is kept. */
const shared = [
  'finality.depth=64',
  'context.epoch=8',
  'context.lag=4',
  'state.undo_depth=64',
  'state.retain_decisions=1000000',
  `memory.consolidation_interval=${epoch}`,
]
/** How fast, in what portions and how much ahead: none of it may show in what comes out. */
const portions = {
  small: [
    'exex.max_blocks_before_commit=1',
    'exex.max_delay_before_commit=0ms',
    'node.credit_notifications=1',
    'vector.outbox_limit_rows=100',
    'vector.optimize_every=10',
    'memory.consolidation_batch_size=10',
    'memory.async_consolidation=true',
  ],
  large: [
    'exex.max_blocks_before_commit=100',
    'exex.max_delay_before_commit=200ms',
    'node.credit_notifications=64',
    'vector.outbox_limit_rows=10000',
    'vector.optimize_every=200',
    'memory.consolidation_batch_size=5000',
    'memory.async_consolidation=false',
  ],
}

const attach = (url: string, dataDir: string, set: readonly string[]) =>
  startProgram([
    ...['attach', url, '--profile', 'test', '--data-dir', dataDir, '--http', '127.0.0.1:0', '--json'],
    ...[...shared, ...set].flatMap((each) => ['--set', each]),
  ])

const untilStatus = (program: Program, isReached: (status: Status) => boolean) =>
  program.until('/status', ({ body }) => isReached(body as Status), patienceMs)

/** Until nothing moves any more: all is durable, final as far as it may be, and taken in by the vector store. */
async function untilSettled(program: Program, { feed }: ScriptedServer, dataDir: string): Promise<Status> {
  const { head } = feed
  const { finalized } = feed.heads()
  await untilStatus(program, (status) => status.durable?.hash === head.hash)
  await untilStatus(program, (status) => status.finalized?.hash === finalized?.hash)
  await program.until('/metrics', ({ body }) => /^monmouth_outbox_rows 0$/m.test(String(body)), patienceMs)
  // Memories are the last that an epoch leaves.
  const last = ((head.number + 1n) / epoch) * epoch - 1n
  await expect.poll(() => newestEpoch(dataDir), { timeout: patienceMs, interval: 100 }).toBe(last)
  return statusOf(program)
}

async function newestEpoch(dataDir: string): Promise<bigint | undefined> {
  using database = new DatabaseSync(join(dataDir, 'vector', 'rows.sqlite'), { readOnly: true })
  const newest = database.prepare(`SELECT max("toBlock") AS block FROM memories WHERE "memoryKind" = 'epoch'`)
  newest.setReadBigInts(true)
  return (newest.get()?.block as bigint | null) ?? undefined
}

test('two instances at other batch sizes and speeds, one killed and one through ten reorgs, end in the same state', async () => {
  const [quick, slow] = await Promise.all([
    startScriptedServer({ batchBlocks: 1 }),
    startScriptedServer({ batchBlocks: 64 }),
  ])
  const { blocks, steps } = createForkedChain(1, quick.feed.genesis, depths)
  const final = blocks[blocks.length - 30]!.ref.number
  await using folder = await temporaryFolder()
  const [a, b] = [join(folder.path, 'a'), join(folder.path, 'b')]

  // One sees the chain as it ends, block by block, and is killed on the way.
  const killed = async () => {
    const half = blocks.length / 2
    quick.feed.commit(blocks.slice(0, half))
    {
      await using program = await attach(quick.url, a, portions.small)
      await untilStatus(program, ({ durable }) => (durable?.number ?? 0) >= half / 2)
      await program.stop('SIGKILL')
    }
    quick.feed.commit(blocks.slice(half))
    quick.feed.finalize(final)
    await using program = await attach(quick.url, a, portions.small)
    const status = await untilSettled(program, quick, a)
    expect((await program.stop()).code).toBe(0)
    return status
  }
  // The other sees every branch, over a slow line, and has it durable before it goes.
  const reorged = async () => {
    await using link = await startTcpLink('slow', slow.url.replace('grpc://', ''))
    await link.set({ delayMs: 15, bytesPerSecond: 200_000 })
    await using program = await attach(`grpc://${link.address}`, b, portions.large)
    for (const { undo, blocks } of steps) {
      if (undo === 0) slow.feed.commit(blocks)
      else slow.feed.reorg(undo, blocks)
      const { head } = slow.feed
      await untilStatus(program, ({ durable }) => durable?.hash === head.hash)
    }
    slow.feed.finalize(final)
    const status = await untilSettled(program, slow, b)
    expect((await program.stop()).code).toBe(0)
    return status
  }
  const [straight, forked] = await Promise.all([killed(), reorged()])
  await Promise.all([quick.close(), slow.close()])

  const [first, second] = [await readReplica(a), await readReplica(b)]
  expect(replicaDifferences(first, second)).toEqual([])

  // And it was something: ten reorgs, on the one side only, over state of every kind.
  expect({ reorgs: forked.reorgs, reverted: forked.blocksReverted }).toEqual({
    reorgs: depths.length,
    reverted: depths.reduce((sum, depth) => sum + depth, 0),
  })
  expect(straight.reorgs).toBe(0)
  expect(straight.blocks).toBe(blocks.length)
  expect(straight.svm.executed).toBeGreaterThan(20)
  const empty = [...first].filter(([part, lines]) => lines.length === 0 && !part.includes('documents'))
  expect(empty.map(([part]) => part)).toEqual([])
  expect(first.get('row index memories')!.some((line) => line.includes('"finding"'))).toBe(true)
})
