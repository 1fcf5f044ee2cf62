import { HarnessError } from '../errors.ts'
import { drivenNode } from './drivenNode.ts'
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
  const driven = await drivenNode(node, { ...node, finalityDepth })
  return { ...driven, streamAddress: node.exexAddress }
}
