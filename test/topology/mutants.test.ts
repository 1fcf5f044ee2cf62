import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, test } from 'vitest'
import { checkTopology, until } from '../../harness/assertions/checkTopology.ts'
import { watchBounds } from '../../harness/assertions/watchBounds.ts'
import { type FaultyProxy, startFaultyProxy } from '../../harness/feed/startFaultyProxy.ts'
import { createRandom } from '../../harness/random.ts'
import { openTopology, seed } from './openTopology.ts'
import { vectorProcessOf } from './vectorProcessOf.ts'

const folder = join(import.meta.dirname, '../support/mutants')
/** What each must be found by. */
const found: Readonly<Record<string, RegExp>> = {
  skipsUndo: /lamports/,
  undoesInWrongOrder: /lamports/,
  forgetsLearnersUndo: /decisionsHash/,
  acknowledgesBeforeCommit: /acknowledged a block before it was durable/,
  grantsCreditAtOnce: /more bytes waited than/,
  // Its own database refuses the block that is there, and it ends: whoever asks it next finds that out, or is told so while it does.
  ignoresKnownBlockCheck: /it died|to answer|\(503\)/,
  swallowsGap: /applied|lamports|blocks|durable/,
}
const creditBytes = 65_536

/**
 * What every mutant, and the true sidecar, goes through: frames that come twice, never, broken off or out of order; forks; a
 * vector store that stands still. Throws what the oracle finds.
 */
async function gauntlet(mutant: string | undefined): Promise<void> {
  let proxy: FaultyProxy | undefined
  await using topology = await openTopology('single', {
    settings: [
      ...[`node.credit_bytes=${creditBytes}`, `node.max_frame_bytes=${creditBytes}`],
      'exex.max_delay_before_commit=500ms',
      'vector.outbox_limit_rows=100',
      'node.reconnect_min_ms=20',
    ],
    relay: async (address) => {
      proxy = await startFaultyProxy(address)
      return { address: proxy.address, [Symbol.asyncDispose]: () => proxy!.close() }
    },
    ...(mutant !== undefined && { imports: [pathToFileURL(join(folder, `${mutant}.ts`)).href] }),
  })
  const { node, members } = topology
  const { sidecar } = members.get('sidecar')!
  await using bounds = watchBounds(sidecar, topology.streamAddress(), {
    consumerId: 'sidecar',
    creditBytes,
  })
  const check = async () => {
    if (bounds.problems().length > 0) throw new Error(bounds.problems().join('; '))
    await checkTopology(topology, { freshRun: false, timeoutMs: 15_000 })
  }
  const random = createRandom(seed, 'gauntlet')
  await topology.mine(10)
  for (const fault of ['duplicate', 'gap', 'reorder', 'duplicate', 'cut'] as const) {
    proxy!.inject(fault)
    await topology.mine(2)
    await check()
  }
  for (let fork = 0; fork < 5; fork++) {
    await node.fork(2 + random.below(5))
    await topology.mine(1 + random.below(4))
  }
  await check()
  // Its vector store stands still: it can go on no further than the outbox reaches, and what is sent has to wait.
  const vector = vectorProcessOf(sidecar)
  process.kill(vector, 'SIGSTOP')
  await topology.mine(40, 40)
  await until('the sidecar to wait for its vector store', async () =>
    /^monmouth_pipeline_waits_total.*"outbox"/m.test(String((await sidecar.get('/metrics')).body)),
  )
  process.kill(vector, 'SIGCONT')
  await check()
  expect(bounds.looks()).toBeGreaterThan(10)
  await checkTopology(topology)
  if (bounds.problems().length > 0) throw new Error(bounds.problems().join('; '))
}

describe.skipIf(process.env.HARNESS === 'container')('planted bugs', () => {
  const names = readdirSync(folder)
    .map((file) => file.replace(/\.ts$/, ''))
    .filter((name) => !['replaceModule', 'acceptingAssembler'].includes(name))

  test('every one has a line here', () => {
    expect(names.sort()).toEqual(Object.keys(found).sort())
  })
  test('the true sidecar passes', () => gauntlet(undefined))
  for (const [mutant, what] of Object.entries(found)) {
    test(`${mutant} is found`, async () => {
      const problem = await gauntlet(mutant).then(
        () => 'nothing',
        (error: Error) => error.message,
      )
      console.log(`${mutant}: ${problem.slice(0, 300)}`)
      expect(problem).toMatch(what)
    })
  }
})
