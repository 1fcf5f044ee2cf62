import { type Keypair, PublicKey, SystemProgram, Transaction } from '@solana/web3.js'
import {
  concat,
  createTestClient,
  createWalletClient,
  defineChain,
  type Hash,
  type Hex,
  hexToBytes,
  http,
  parseGwei,
  publicActions,
  toHex,
} from 'viem'
import { mnemonicToAccount } from 'viem/accounts'
import type { Anvil } from '#harness'

const router = '0x000000000000000000000000000000000053564d'
const magic = toHex('SVM')

/** A person with nothing but viem and `@solana/web3.js`, and the node's own test methods. */
export type StockClient = ReturnType<typeof createStockClient>

/** @param minesByItself the node makes blocks without being told: a transaction is waited for, not mined */
export function createStockClient(
  node: Pick<Anvil, 'rpcUrl' | 'chainId' | 'mnemonic'>,
  { minesByItself = false } = {},
) {
  const chain = defineChain({
    id: node.chainId,
    name: 'devnet',
    nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
    rpcUrls: { default: { http: [node.rpcUrl] } },
  })
  const transport = http(node.rpcUrl)
  const wallet = createWalletClient({ account: mnemonicToAccount(node.mnemonic), chain, transport })
  const anvil = createTestClient({ chain, transport, mode: 'anvil' }).extend(publicActions)

  const head = async () => {
    const { number, hash } = await anvil.getBlock()
    return { number: Number(number), hash }
  }
  /** To the router, in calldata that begins with `SVM`; then a block that holds it. Also gives the raw transaction. */
  const send = async (payload: Hex, value = 0n): Promise<{ hash: Hash; raw: Hex }> => {
    const request = await wallet.prepareTransactionRequest({
      to: router,
      data: concat([magic, payload]),
      value,
      gas: 500_000n,
      maxFeePerGas: parseGwei('100'),
      maxPriorityFeePerGas: parseGwei('1'),
    })
    const raw = await wallet.signTransaction(request)
    const hash = await wallet.sendRawTransaction({ serializedTransaction: raw })
    if (minesByItself) await anvil.waitForTransactionReceipt({ hash, pollingInterval: 50 })
    else await anvil.mine({ blocks: 1 })
    return { hash, raw }
  }
  return {
    anvil,
    wallet,
    head,
    mine: async (blocks = 1) => {
      await anvil.mine({ blocks })
      return head()
    },
    /** 1 gwei is 1 lamport. */
    deposit: (to: PublicKey, lamports: bigint) =>
      send(concat(['0x81', toHex(to.toBytes())]), lamports * 1_000_000_000n),
    /** Signed over the head's hash as its recent blockhash. */
    async transfer(from: Keypair, to: PublicKey, lamports: number) {
      const { hash } = await head()
      const transaction = new Transaction({
        feePayer: from.publicKey,
        blockhash: new PublicKey(hexToBytes(hash)).toBase58(),
        lastValidBlockHeight: 0,
      })
      transaction.add(SystemProgram.transfer({ fromPubkey: from.publicKey, toPubkey: to, lamports }))
      transaction.sign(from)
      return send(toHex(transaction.serialize()))
    },
    /** The same signed transaction once more, in a block of its own. */
    async sendAgain(raw: Hex) {
      await wallet.sendRawTransaction({ serializedTransaction: raw })
      await anvil.mine({ blocks: 1 })
    },
    /** The newest blocks are gone, and nobody is told. */
    rollback: (depth: number) =>
      anvil.request({ method: 'anvil_rollback', params: [depth] } as never) as Promise<null>,
    /** The newest blocks are replaced by as many empty ones. */
    reorg: (depth: number) =>
      anvil.request({ method: 'anvil_reorg', params: [depth, []] } as never) as Promise<null>,
  }
}
