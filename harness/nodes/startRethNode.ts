import { createConsensusDriver } from '../consensus/createConsensusDriver.ts'
import { createRpc } from '../devnet/createRpc.ts'
import { HarnessError } from '../errors.ts'
import { blockAt } from './blockAt.ts'
import { startReth } from './startReth.ts'
import type { ChainNode } from './types.ts'

/**
 * `monmouth-reth`, its consensus client played by a driver.
 *
 * @throws HarnessError `NODE_MISSING`: neither `binary` nor the environment's MONMOUTH_RETH names one
 */
export async function startRethNode(options: {
  readonly dataDir: string
  readonly finalityDepth: number
  readonly binary?: string
  readonly flags?: readonly string[]
}): Promise<ChainNode> {
  const { dataDir, finalityDepth, binary = process.env.MONMOUTH_RETH, flags } = options
  if (binary === undefined)
    throw new HarnessError(
      'NODE_MISSING',
      'expected the program monmouth-reth in MONMOUTH_RETH, it is not set',
    )
  const node = await startReth({ binary, dataDir, ...(flags === undefined ? {} : { flags }) })
  const driver = await createConsensusDriver({ ...node, finalityDepth })
  const rpc = createRpc(node.rpcUrl)
  return {
    ...node,
    streamAddress: node.exexAddress,
    finalityDepth,
    head: async () => (await blockAt(rpc, 'latest'))!,
    finalized: async () => driver.finalized(),
    mine: async () => (await driver.mine()).committedMs,
    fork: async (depth) => void (await driver.fork(depth)),
    recover: () => driver.repeat(),
  }
}
