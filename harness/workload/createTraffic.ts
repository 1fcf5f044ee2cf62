import { toBytes } from 'viem'
import { developmentMnemonic } from '../anvil.ts'
import { contractNames } from '../devnet/contracts.ts'
import { createRpc } from '../devnet/createRpc.ts'
import { createTransactionSource } from '../devnet/createTransactionSource.ts'
import { createKeccak256 } from '../ethereum/keccak256.ts'
import { createRandom } from '../random.ts'

export type TrafficSenderOptions = {
  readonly rpcUrl: string
  readonly chainId: number
  readonly seed: string | number
  /** Accounts of the development phrase that send. Default 10. */
  readonly accounts?: number
  /** Share of transactions that are envelopes, 0 to 1. Default 0.5. */
  readonly svmShare?: number
}

/** Transactions for any node's pool, which orders them and keeps those that a reorg takes back. */
export type TrafficSender = {
  /** Signs and sends so many. Resolves once the pool has them; returns how many were sent, deployments included. */
  send(count: number): Promise<number>
}

/** The mix of `devnet`, from accounts that have sent nothing yet on this chain. */
export async function createTraffic(options: TrafficSenderOptions): Promise<TrafficSender> {
  const { rpcUrl, chainId, seed, accounts = 10, svmShare = 0.5 } = options
  const rpc = createRpc(rpcUrl)
  const source = createTransactionSource(
    { seed, mnemonic: developmentMnemonic, accounts, chainId },
    await createKeccak256(),
  )
  const senders = Array.from({ length: accounts }, (_, index) => index)
  let portion = 0
  /** What a wallet would sign on: the latest blocks, as the node has them now. */
  const recentHashes = async (): Promise<Uint8Array[]> => {
    const newest = Number(await rpc.call<string>('eth_blockNumber'))
    const numbers = Array.from({ length: Math.min(newest, 16) }, (_, index) => newest - index).reverse()
    const blocks = await rpc.batch<{ hash: `0x${string}` } | null>(
      numbers.map((number) => ({
        method: 'eth_getBlockByNumber',
        params: [`0x${number.toString(16)}`, false],
      })),
    )
    return blocks.flatMap((block) => (block === null ? [] : [toBytes(block.hash)]))
  }
  return {
    send: async (count) => {
      const random = createRandom(seed, `portion ${portion}`)
      const recent = await recentHashes()
      const transactions = portion === 0 ? contractNames.map((_, index) => source.deploy(index)) : []
      portion += 1
      for (let left = count; left > 0; left--) {
        const isEnvelope = recent.length > 0 && random.chance(svmShare)
        transactions.push(
          isEnvelope ? source.envelope(random, senders, recent) : source.ethereum(random, senders),
        )
      }
      for (let at = 0; at < transactions.length; at += 100) {
        const calls = transactions.slice(at, at + 100).map(({ raw }) => ({
          method: 'eth_sendRawTransaction',
          params: [`0x${Buffer.from(raw).toString('hex')}`],
        }))
        await rpc.batch(calls)
      }
      return transactions.length
    },
  }
}
