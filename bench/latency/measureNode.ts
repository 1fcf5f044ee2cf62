import { setTimeout as delay } from 'node:timers/promises'
import { type LatencyWatch, watchLatency } from '#harness'
import { nowMs } from '../../harness/latency/watchLatency.ts'
import { createProcessBackend } from '../../harness/topology/processBackend.ts'
import { startTopology } from '../../harness/topology/startTopology.ts'
import { createTransfers } from '../../harness/workload/createTransfers.ts'
import type { LatencyCase, LatencyResult } from './types.ts'

/**
 * A real node, made to build a block as soon as its pool has the transactions, at most at the rate asked for. Commit is when the node was asked
 * to make the block the head (reth) or to mine it (anvil): its own work on it is in the figure.
 */
export async function measureNode(source: 'anvil' | 'reth', options: LatencyCase): Promise<LatencyResult> {
  const { blocksPerSecond, transactions, sidecars, seconds, linkDelayMs } = options
  const names = Array.from({ length: sidecars }, (_, index) => `sidecar-${index}`)
  await using topology = await startTopology(
    {
      name: 'latency',
      about: 'one node and its sidecars',
      nodes: ['node'],
      sidecars: names.map((name) => ({ name, node: 'node', by: 'stream' })),
    },
    { backend: await createProcessBackend(), nodeKind: source },
  )
  const { node } = topology
  const transfers = await createTransfers({ ...node, seed: 'latency' })
  const watches: LatencyWatch[] = []
  await using resources = new AsyncDisposableStack()
  for (const { sidecar, link } of topology.members.values()) {
    await link.set({ delayMs: linkDelayMs })
    watches.push(resources.use(await watchLatency(sidecar)))
  }
  const commit = async () => {
    const asked = await node.mine()
    const { hash } = await node.head()
    for (const watch of watches) watch.committed(hash, asked)
    return hash
  }
  await transfers.send(transactions)
  let last = await commit()
  await Promise.all(watches.map((watch) => watch.acknowledged(last)))
  for (const watch of watches) watch.reset()

  const began = nowMs()
  let blocks = 0
  while (nowMs() - began < seconds * 1000) {
    await transfers.send(transactions)
    const wait = began + (blocks * 1000) / blocksPerSecond - nowMs()
    if (wait > 0) await delay(wait)
    last = await commit()
    blocks += 1
  }
  await Promise.all(watches.map((watch) => watch.acknowledged(last)))
  const carried = blocks / ((nowMs() - began) / 1000)
  return { ...options, source, blocks, carried, watches }
}
