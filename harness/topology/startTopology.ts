import { finishedHeightOf } from '../assertions/callStreamServer.ts'
import { type BalanceWatch, watchBalance } from '../assertions/watchBalance.ts'
import type { BlockPosition } from '../devnet/runTraffic.ts'
import { startOfficialProxy } from '../feed/startOfficialProxy.ts'
import type { Link } from '../link/types.ts'
import type { NodeKind } from '../nodes/types.ts'
import type { Sidecar } from '../sidecar/startSidecar.ts'
import type { Backend, StartedNode, StartedServer } from './backend.ts'
import { createTimeline, type Timeline } from './timeline.ts'
import type { SidecarSpec, TopologySpec } from './types.ts'

export type TopologyOptions = {
  readonly backend: Backend
  /** Default: anvil. */
  readonly nodeKind?: NodeKind
  /** Blocks below the head that are final; even. Default 32: no fork is deeper. */
  readonly finalityDepth?: number
  /** Configuration of every sidecar, by key. */
  readonly settings?: readonly string[]
  /** Modules loaded before every sidecar: `file:` URLs. Processes only. */
  readonly imports?: readonly string[]
  /** Something between each stream and the link to it: takes an address, gives another. It is disposed with the topology. */
  readonly relay?: (address: string) => Promise<AsyncDisposable & { readonly address: string }>
  /** Each line of the timeline as it comes. */
  readonly onLine?: (line: string) => void
}

/** One sidecar with what belongs to it. */
export type Member = {
  readonly spec: SidecarSpec
  readonly sidecar: Sidecar
  /** Between it and what it follows. */
  readonly link: Link
  readonly balance: BalanceWatch
  /** The node whose chain it must hold. */
  node: string
}

export type StartedTopology = AsyncDisposable & {
  readonly spec: TopologySpec
  readonly nodes: ReadonlyMap<string, StartedNode>
  readonly members: ReadonlyMap<string, Member>
  readonly timeline: Timeline
  /** The first node: most topologies have no other. */
  readonly node: StartedNode
  /** Starts a member that was on standby. */
  join(name: string): Promise<Member>
  /** Leads a member's link to another node. */
  move(name: string, node: string): Promise<void>
  /** `host:port` of the stream server of a node, for the harness. */
  streamAddress(node?: string): string
  /** What the stream server of a node has told it that it may forget up to. */
  finishedHeight(node?: string): Promise<BlockPosition | undefined>
  /** Everybody's logs, by name. */
  logs(): ReadonlyMap<string, string>
}

/** A ledger can be kept only where nothing is refused by judgement. */
const judgeNothing = 'decision_engine.min_evidence=1000000'

/**
 * Starts the programs of a topology: nodes, then what serves their streams, then the links, then the sidecars. Every one has
 * answered when this resolves. Disposing it ends them all.
 */
export async function startTopology(spec: TopologySpec, options: TopologyOptions): Promise<StartedTopology> {
  const { backend, nodeKind = 'anvil', finalityDepth = 32, settings = [] } = options
  const timeline = createTimeline(options.onLine)
  const own = new AsyncDisposableStack()
  const nodes = new Map<string, StartedNode>()
  const servers = new Map<string, StartedServer>()
  const members = new Map<string, Member>()
  try {
    for (const name of spec.nodes) {
      nodes.set(name, await backend.startNode(name, nodeKind, { finalityDepth }))
      timeline.note(`${name} started`, { kind: nodeKind })
    }
    /** Where the stream of a node's chain is: in the node, or in a shim before it. */
    const streamOf = async (node: StartedNode, name: string): Promise<string> => {
      if (node.reachStream !== undefined) return node.reachStream
      const known = servers.get(name) ?? (await backend.startShim(`${name}-shim`, node, { finalityDepth }))
      servers.set(name, known)
      return known.reach
    }
    const targetOf = async ({ by }: SidecarSpec, nodeName: string): Promise<string> => {
      const node = nodes.get(nodeName)!
      if (by === 'rpc') return node.reach
      const stream = await streamOf(node, nodeName)
      if (by === 'official') return own.use(await startOfficialProxy(stream)).address
      return options.relay === undefined ? stream : own.use(await options.relay(stream)).address
    }
    const join = async (name: string): Promise<Member> => {
      const member = spec.sidecars.find((candidate) => candidate.name === name)!
      const link = await backend.startLink(`${name}-link`, await targetOf(member, member.node))
      const sidecar = await backend.startSidecar({
        name,
        url: `${member.by === 'rpc' ? 'http' : 'grpc'}://${link.address}`,
        settings: [
          `node.consumer_id=${member.consumerId ?? name}`,
          `finality.depth=${finalityDepth}`,
          ...['node.reconnect_max_ms=500', 'shim.poll_interval=50', judgeNothing],
          ...(member.by === 'official' ? [`node.rpc=${nodes.get(member.node)!.rpcUrl}`] : []),
          ...settings,
        ],
        ...(options.imports && { imports: options.imports }),
      })
      const balance = own.use(watchBalance(sidecar))
      const joined: Member = { spec: member, sidecar, link, balance, node: member.node }
      members.set(name, joined)
      timeline.note(`${name} started`, { follows: member.node, by: member.by })
      return joined
    }
    const streamAddress = (name: string = spec.nodes[0]!) =>
      nodes.get(name)!.streamAddress ?? servers.get(name)!.address
    for (const { name, isStandby } of spec.sidecars) if (isStandby !== true) await join(name)
    return {
      spec,
      nodes,
      members,
      timeline,
      node: nodes.get(spec.nodes[0]!)!,
      join,
      move: async (name, nodeName) => {
        const member = members.get(name)!
        await member.link.lead(await targetOf(member.spec, nodeName))
        member.node = nodeName
        timeline.note(`${name} led to ${nodeName}`)
      },
      streamAddress,
      finishedHeight: (name) => finishedHeightOf(streamAddress(name)),
      logs: () =>
        new Map(
          [
            ...nodes.values(),
            ...servers.values(),
            ...[...members.values()].map(({ sidecar }) => sidecar),
          ].map((instance) => [instance.name, instance.logs()]),
        ),
      [Symbol.asyncDispose]: async () => {
        await own.disposeAsync()
        await backend[Symbol.asyncDispose]()
      },
    }
  } catch (error) {
    await own.disposeAsync()
    await backend[Symbol.asyncDispose]()
    throw error
  }
}
