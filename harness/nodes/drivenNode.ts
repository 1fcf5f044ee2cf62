import { createConsensusDriver } from '../consensus/createConsensusDriver.ts'
import { createRpc } from '../devnet/createRpc.ts'
import type { Instance } from '../instance/types.ts'
import { blockAt } from './blockAt.ts'
import type { ChainNode } from './types.ts'

/** An execution client as a node of a topology: a driver of its Engine API is the hand that moves its chain. */
export async function drivenNode(
  instance: Instance,
  at: {
    readonly rpcUrl: string
    readonly engineUrl: string
    readonly secret: string
    readonly finalityDepth: number
    readonly chainId: number
  },
): Promise<ChainNode> {
  const driver = await createConsensusDriver(at)
  const rpc = createRpc(at.rpcUrl)
  const { rpcUrl, chainId, finalityDepth } = at
  return {
    ...instance,
    ...{ rpcUrl, chainId, finalityDepth },
    head: async () => (await blockAt(rpc, 'latest'))!,
    finalized: async () => driver.finalized(),
    mine: async () => (await driver.mine()).committedMs,
    fork: async (depth) => void (await driver.fork(depth)),
    recover: () => driver.repeat(),
  }
}
