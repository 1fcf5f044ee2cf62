import { ChainMismatchError, NodeUnreachableError } from './errors.ts'
import {
  type NodeConnection,
  type NodeConnectionOptions,
  nodeName,
  openNodeConnection,
} from './nodeConnection.ts'
import { type ChainIdentity, createNodeReader, type NodeReader } from './nodeReader.ts'

/** The way to one node across its restarts: at most one connection, used only once the chain behind it is known to be ours. */
export type NodeLink = {
  readonly reader: NodeReader
  /** Connects if need be. The first time it learns which chain this is; later it throws `ChainMismatchError` for another one. */
  ensure(): Promise<ChainIdentity>
  /** Asks the node again which chain it serves: over HTTP a restart between two calls shows nowhere else. */
  confirmIdentity(): Promise<void>
  /** Gives the connection up; the next `ensure` opens a new one. */
  drop(): void
}

export function createNodeLink(options: NodeConnectionOptions): NodeLink {
  const node = nodeName(options.url)
  let connection: NodeConnection | undefined
  let identity: ChainIdentity | undefined

  const drop = () => {
    const dropped = connection
    connection = undefined
    dropped?.close()
  }

  const check = async (reader: NodeReader): Promise<ChainIdentity> => {
    const found = await reader.identity()
    identity ??= found
    const expected = identity
    if (found.chainId !== expected.chainId)
      throw new ChainMismatchError({
        node,
        what: 'chain id',
        expected: String(expected.chainId),
        actual: String(found.chainId),
      })
    if (found.genesisHash !== expected.genesisHash)
      throw new ChainMismatchError({
        node,
        what: 'genesis hash',
        expected: expected.genesisHash,
        actual: found.genesisHash,
      })
    return expected
  }

  const reader = createNodeReader((method, params) => {
    if (connection === undefined) throw new NodeUnreachableError({ node, why: 'not connected' })
    return connection.request(method, params)
  })

  return {
    reader,
    drop,
    ensure: async () => {
      if (connection !== undefined && identity !== undefined) return identity
      drop()
      const opened = await openNodeConnection({
        ...options,
        onClose: () => {
          if (connection === opened) connection = undefined
          options.onClose()
        },
      })
      try {
        // Until the check is passed nobody else reads through this connection.
        const known = await check(createNodeReader(opened.request))
        connection = opened
        return known
      } catch (error) {
        opened.close()
        throw error
      }
    },
    confirmIdentity: async () => {
      await check(reader)
    },
  }
}
