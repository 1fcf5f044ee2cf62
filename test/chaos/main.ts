/**
 * Three sidecars under kills, pauses, cuts, reorgs and node restarts: `npm run test:chaos -- [--minutes N] [--seed S] [--node KIND]
 * [--verbose]`. Every minute or so everything is mended and checked. Prints what was done; exit code 1 with the
 * timeline's end, the sidecars' logs and the command that repeats it when the check finds something.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { runChaos } from '../../harness/chaos/runChaos.ts'
import type { NodeKind } from '../../harness/nodes/types.ts'
import { createProcessBackend } from '../../harness/topology/processBackend.ts'
import { startTopology } from '../../harness/topology/startTopology.ts'
import { findTopology } from '../../harness/topology/topologies.ts'
import { createTransfers } from '../../harness/workload/createTransfers.ts'

const usage = `Usage: npm run test:chaos -- [options]

Three sidecars at one node under faults drawn from a seed; everything is mended and checked after every round.
Prints a line of JSON a round and the report at the end.

  --minutes N    ends after the round in which they have passed (default 30)
  --seed S       of faults and traffic (default 1)
  --node KIND    anvil, reth or geth (default anvil; for the others MONMOUTH_RETH or MONMOUTH_GETH names the program)
  --verbose      what the instances say, on stderr
`
const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h', default: false },
    minutes: { type: 'string', default: '30' },
    seed: { type: 'string', default: '1' },
    node: { type: 'string', default: 'anvil' },
    verbose: { type: 'boolean', default: false },
  },
})
if (values.help) {
  process.stdout.write(usage)
  process.exit()
}
const { seed, minutes, node } = values
await using topology = await startTopology(findTopology('fanOut')!, {
  backend: await createProcessBackend(),
  nodeKind: node as NodeKind,
  ...(values.verbose && { onLine: (line: string) => console.error(line) }),
})
const transfers = await createTransfers({ ...topology.node, seed })
try {
  const report = await runChaos(topology, transfers, {
    seed,
    forMs: Number(minutes) * 60_000,
    onRound: (round) => console.log(JSON.stringify(round)),
  })
  console.log(JSON.stringify(report, undefined, 2))
} catch (error) {
  const folder = join('.monmouth', `chaos-${seed}`)
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'timeline.txt'), topology.timeline.print())
  for (const [name, log] of topology.logs()) await writeFile(join(folder, `${name}.log`), log)
  console.error(topology.timeline.print().split('\n').slice(-40).join('\n'))
  console.error((error as Error).stack)
  console.error(
    `timeline and logs: ${folder}; again: npm run test:chaos -- --seed ${seed} --node ${node} --minutes ${minutes}`,
  )
  process.exitCode = 1
}
