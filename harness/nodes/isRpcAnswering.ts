import { createRpc } from '../devnet/createRpc.ts'

/** Whether a node answers by JSON-RPC now. */
export async function isRpcAnswering(url: string): Promise<boolean> {
  try {
    await createRpc(url, { signal: AbortSignal.timeout(2000) }).call('eth_blockNumber')
    return true
  } catch {
    return false
  }
}
