import { setTimeout as delay } from 'node:timers/promises'
import type { FlagValues } from '#config'
import type { CommandContext } from './commandContext.ts'
import { exitCodes } from './exitCodes.ts'
import { loadHarness } from './loadHarness.ts'

/** Transactions sent before each block. */
const transactions = 10

/** Starts a topology for a person to look at: prints where everything is, and a line a block, until stopped. */
export async function topology(
  flags: FlagValues,
  { signal, stdout, stderr }: CommandContext,
): Promise<number> {
  const harness = await loadHarness()
  const spec = harness.findTopology(String(flags.name ?? ''))
  if (spec === undefined) {
    const known = Object.entries(harness.topologies).map(
      ([name, { about }]) => `  ${name.padEnd(16)} ${about}\n`,
    )
    const isAsked = flags.name === undefined
    const out = isAsked ? stdout : stderr
    if (!isAsked) out.write(`monmouth: expected the name of a topology, got ${flags.name}\n`)
    out.write(`Topologies:\n${known.join('')}`)
    return isAsked ? exitCodes.ok : exitCodes.usage
  }
  const kind = String(flags.node)
  const blockTimeMs = Number(flags.blockTime)
  if ((kind !== 'anvil' && kind !== 'reth') || !(blockTimeMs >= 0)) {
    stderr.write(
      `monmouth: expected --node anvil or reth and --block-time 0 or more, got ${kind} and ${flags.blockTime}\n`,
    )
    return exitCodes.usage
  }
  const backend =
    flags.containers === true ? harness.createContainerBackend() : harness.createProcessBackend()
  await using started = await harness.startTopology(spec, { backend: await backend, nodeKind: kind })
  stdout.write(`${spec.name}: ${spec.about}\n`)
  for (const [name, node] of started.nodes) stdout.write(`  ${name.padEnd(12)} ${node.rpcUrl}\n`)
  for (const [name, { sidecar, link, node, spec: member }] of started.members)
    stdout.write(
      `  ${name.padEnd(12)} ${sidecar.httpUrl}  follows ${node} by ${member.by}, through ${link.address}\n`,
    )
  const transfers = await harness.createTransfers({ ...started.node, seed: 'topology' })
  while (!signal.aborted) {
    await transfers.send(transactions)
    await started.node.mine()
    const head = await started.node.head()
    const durable = await Promise.all(
      [...started.members].map(async ([name, { sidecar }]) => {
        const status = await sidecar.status().catch(() => undefined)
        return `${name} ${status?.durable?.number ?? '-'}`
      }),
    )
    stdout.write(`head ${head.number}  durable: ${durable.join('  ')}\n`)
    await delay(blockTimeMs, undefined, { signal }).catch(() => {})
  }
  return exitCodes.ok
}
