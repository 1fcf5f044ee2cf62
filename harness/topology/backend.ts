import type { Instance } from '../instance/types.ts'
import type { Link } from '../link/types.ts'
import type { ChainNode, NodeKind } from '../nodes/types.ts'
import type { Sidecar } from '../sidecar/startSidecar.ts'

/** Something that listens, as the other programs of the topology reach it. */
export type Reachable = {
  /** `host:port`. */
  readonly reach: string
}

export type StartedNode = ChainNode &
  Reachable & {
    /** `host:port` of its own `exex.v1` server, as other programs reach it. */
    readonly reachStream?: string
  }
export type StartedServer = Instance &
  Reachable & {
    /** `host:port`, for the harness. */
    readonly address: string
  }

export type BackendSidecarOptions = {
  readonly name: string
  /** With the address of a link in it. */
  readonly url: string
  readonly settings: readonly string[]
  /** Modules loaded before the program: `file:` URLs. Processes only. */
  readonly imports?: readonly string[]
}

/** What a topology is made of: processes, or containers. Closing it leaves nothing behind. */
export type Backend = AsyncDisposable & {
  readonly kind: 'process' | 'container'
  startNode(name: string, kind: NodeKind, options: { readonly finalityDepth: number }): Promise<StartedNode>
  /** This project's JSON-RPC shim before a node. */
  startShim(
    name: string,
    node: StartedNode,
    options: { readonly finalityDepth: number },
  ): Promise<StartedServer>
  startLink(name: string, target: string): Promise<Link>
  startSidecar(options: BackendSidecarOptions): Promise<Sidecar>
}
