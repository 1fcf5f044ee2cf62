import type { Hash } from 'viem'
import type { Rpc } from '../devnet/createRpc.ts'
import type { BlockPosition } from '../devnet/runTraffic.ts'

/** A block by tag; undefined where the node has none under it. */
export async function blockAt(rpc: Rpc, tag: string): Promise<BlockPosition | undefined> {
  const found = await rpc.call<{ number: string; hash: Hash } | null>('eth_getBlockByNumber', [tag, false])
  return found === null ? undefined : { number: BigInt(found.number), hash: found.hash }
}
