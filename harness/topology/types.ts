/** Programs and who follows whom. Everything has a name; names are unique. */
export type TopologySpec = {
  readonly name: string
  /** One sentence for people. */
  readonly about: string
  readonly nodes: readonly string[]
  readonly sidecars: readonly SidecarSpec[]
}

export type SidecarSpec = {
  readonly name: string
  readonly node: string
  /**
   * How it follows the node: by `exex.v1` (the server inside the node, or this project's JSON-RPC shim before it), by the node's own
   * JSON-RPC, or by the official `exex.RemoteExEx`.
   */
  readonly by: 'stream' | 'rpc' | 'official'
  /** Default: its name. Two of the same id are one consumer: the newest session is it. */
  readonly consumerId?: string
  /** Not started with the others. */
  readonly isStandby?: boolean
}
