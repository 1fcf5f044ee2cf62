import type { SidecarSpec, TopologySpec } from './types.ts'

const stream = (name: string, more: Partial<SidecarSpec> = {}): SidecarSpec => ({
  name,
  node: 'node',
  by: 'stream',
  ...more,
})
const oneNode = ['node'] as const

/** The topologies by name. */
export const topologies = {
  single: {
    about: 'one node, one sidecar',
    nodes: oneNode,
    sidecars: [stream('sidecar')],
  },
  fanOut: {
    about: 'one node, three sidecars on one stream server',
    nodes: oneNode,
    sidecars: [stream('first'), stream('second'), stream('third')],
  },
  failover: {
    about: 'a second sidecar takes over the consumer id of the first',
    nodes: oneNode,
    sidecars: [
      stream('primary', { consumerId: 'shared' }),
      stream('standby', { consumerId: 'shared', isStandby: true }),
    ],
  },
  restartMidReorg: {
    about: 'a sidecar that is killed while the chain changes branches',
    nodes: oneNode,
    sidecars: [stream('sidecar')],
  },
  slowConsumer: {
    about: 'one sidecar behind a slow link beside one behind a fast one',
    nodes: oneNode,
    sidecars: [stream('fast'), stream('slow')],
  },
  nodeRestart: {
    about: 'a node that is killed and comes back with less than it had',
    nodes: oneNode,
    sidecars: [stream('sidecar')],
  },
  twoNodes: {
    about: 'a sidecar that is moved to another node, on another fork',
    nodes: ['node', 'other'],
    sidecars: [stream('sidecar')],
  },
  splitNetwork: {
    about: 'two sidecars, each cut off from the node in turn',
    nodes: oneNode,
    sidecars: [stream('left'), stream('right')],
  },
  rpcShim: {
    about: 'a sidecar that follows a node by its JSON-RPC alone',
    nodes: oneNode,
    sidecars: [stream('sidecar', { by: 'rpc' })],
  },
  official: {
    about: 'a sidecar that follows the official exex.RemoteExEx: never wrong, may stop',
    nodes: oneNode,
    sidecars: [stream('sidecar', { by: 'official' })],
  },
} as const satisfies Record<string, Omit<TopologySpec, 'name'>>

export type TopologyName = keyof typeof topologies

/** @throws nothing; undefined for a name that is none */
export function findTopology(name: string): TopologySpec | undefined {
  const found = Object.entries(topologies).find(([known]) => known === name)
  return found && { name: found[0], ...found[1] }
}
