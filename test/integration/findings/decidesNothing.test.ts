import { join } from 'node:path'
import { expect, test } from 'vitest'
import { untilDurable } from '../../support/program/programAnswers.ts'
import { startProgram } from '../../support/program/startProgram.ts'
import { temporaryFolder } from '../../support/program/temporaryFolder.ts'
import { startScriptedServer } from '../exex/startScriptedServer.ts'
import { createForkedChain } from '../replicas/forkedChain.ts'
import { type Replica, readReplica, replicaDifferences } from '../replicas/readReplica.ts'

/** What findings are kept in, as state and as context, and what is taken into the graph whenever there is time. */
const own = ['state finding', 'row index memories', 'row index edges', 'row index entities']

test('with findings and without: the same decisions, versions, state and rows, through reorgs', async () => {
  await using folder = await temporaryFolder()
  const server = await startScriptedServer()
  const { blocks, steps } = createForkedChain(2, server.feed.genesis, [2, 7, 1])
  // Everything that is there, whoever was told: each hears of every branch.
  const follow = async (enabled: boolean) => {
    const dataDir = join(folder.path, `${enabled}`)
    const program = await startProgram([
      ...[
        'attach',
        server.url,
        '--profile',
        'test',
        '--data-dir',
        dataDir,
        '--http',
        '127.0.0.1:0',
        '--json',
      ],
      ...['--set', `node.consumer_id=${enabled}`, '--set', `findings.enabled=${enabled}`],
      ...['--set', 'finality.depth=64'],
    ])
    return { program, dataDir }
  }
  const sides = await Promise.all([follow(true), follow(false)])
  for (const { undo, blocks } of steps) {
    if (undo === 0) server.feed.commit(blocks)
    else server.feed.reorg(undo, blocks)
    for (const { program } of sides) await untilDurable(program, server.feed.head)
  }
  for (const { program } of sides) {
    await program.until('/metrics', ({ body }) => /^monmouth_outbox_rows 0$/m.test(String(body)))
    expect((await program.stop()).code).toBe(0)
  }
  const [on, off] = await Promise.all(sides.map(({ dataDir }) => readReplica(dataDir)))
  const rest = (replica: Replica) => new Map([...replica].filter(([part]) => !own.includes(part)))
  expect(replicaDifferences(rest(on!), rest(off!))).toEqual([])
  expect(on!.get('decisions by block')).toHaveLength(blocks.length)

  const found = (replica: Replica) =>
    replica.get('row index memories')!.filter((line) => line.includes('"memoryKind":"finding"')).length
  expect([found(on!) > 10, found(off!), off!.get('state finding')]).toEqual([true, 0, []])
  await server.close()
})
