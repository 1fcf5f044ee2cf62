import { HarnessError } from '../../harness/errors.ts'
import type { NodeKind } from '../../harness/nodes/types.ts'
import type { Backend } from '../../harness/topology/backend.ts'
import { createContainerBackend } from '../../harness/topology/containerBackend.ts'
import { createProcessBackend } from '../../harness/topology/processBackend.ts'
import {
  type StartedTopology,
  startTopology,
  type TopologyOptions,
} from '../../harness/topology/startTopology.ts'
import { findTopology, type TopologyName } from '../../harness/topology/topologies.ts'
import { createTransfers } from '../../harness/workload/createTransfers.ts'

export type Opened = StartedTopology & {
  /** Sends so many transfers and deposits to the first node, and has a block built of what its pool holds. */
  mine(blocks?: number, transactions?: number): Promise<void>
}

export const seed = process.env.SEED ?? '1'
export const nodeKind = (process.env.HARNESS_NODE ?? 'anvil') as NodeKind

export async function openTopology(
  name: TopologyName,
  options: Partial<TopologyOptions> = {},
): Promise<Opened> {
  // What is loaded into a sidecar, or sits between it and its stream, is of this process.
  const isPlain = options.imports === undefined && options.relay === undefined
  const backend = isPlain ? await createBackend() : await createProcessBackend()
  const topology = await startTopology(findTopology(name)!, { backend, nodeKind, ...options })
  const { node, timeline } = topology
  const transfers = await createTransfers({ ...node, seed: `${name} ${seed}` })
  return {
    ...topology,
    mine: async (blocks = 1, transactions = 10) => {
      for (let block = 0; block < blocks; block++) {
        await transfers.send(transactions)
        await node.mine()
      }
      timeline.note('mined', { head: (await node.head()).number, sent: transfers.sent() })
    },
  }
}

/**
 * Containers, unless HARNESS=process. Where there is no engine, or no image, it says so and takes processes; with CI set and
 * HARNESS=container it fails instead.
 */
export async function createBackend(): Promise<Backend> {
  const { HARNESS, CI } = process.env
  if (HARNESS === 'process') return createProcessBackend()
  try {
    return await createContainerBackend()
  } catch (error) {
    const isMissing = error instanceof HarnessError && error.code === 'CONTAINERS_MISSING'
    if (!isMissing || (HARNESS === 'container' && CI)) throw error
    console.warn(`skipped: topologies as containers. They run as processes, for: ${error.message}`)
    return createProcessBackend()
  }
}
