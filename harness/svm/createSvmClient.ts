import { PublicKey, type Transaction, type VersionedTransaction } from '@solana/web3.js'
import { createPublicClient, createWalletClient, defineChain, type Hash, http, toHex } from 'viem'
import { mnemonicToAccount } from 'viem/accounts'
import { developmentMnemonic } from '../anvil.ts'
import { envelopeGas } from '../ethereum/envelopeGas.ts'
import { type EnvelopeContent, encodeEnvelope, routerAddress } from './encodeEnvelope.ts'

export type SvmClientOptions = {
  readonly rpcUrl: string
  readonly chainId: number
  /** Default: the development phrase. */
  readonly mnemonic?: string
  /** Default 0. */
  readonly accountIndex?: number
}

/** How a person with a stock wallet library sends SVM transactions through an Ethereum node. */
export type SvmClient = {
  /** The head's block hash in base 58: what `recentBlockhash` of a transaction takes. */
  latestBlockhash(): Promise<string>
  /** Sends a signed transaction of `@solana/web3.js`; resolves with the Ethereum transaction's hash, not yet mined. */
  send(transaction: Transaction | VersionedTransaction, form?: 'wire' | 'json' | 'base64'): Promise<Hash>
  sendBatch(transactions: readonly (Transaction | VersionedTransaction)[]): Promise<Hash>
  deposit(to: PublicKey, lamports: bigint): Promise<Hash>
  /** Calldata made by the caller. */
  sendContent(content: EnvelopeContent, valueWei?: bigint): Promise<Hash>
}

/** A client for a node that takes raw transactions. Mining is the node's (or the devnet driver's) business. */
export function createSvmClient(options: SvmClientOptions): SvmClient {
  const chain = defineChain({
    id: options.chainId,
    name: 'devnet',
    nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
    rpcUrls: { default: { http: [options.rpcUrl] } },
  })
  const account = mnemonicToAccount(options.mnemonic ?? developmentMnemonic, {
    addressIndex: options.accountIndex ?? 0,
  })
  const transport = http(options.rpcUrl)
  const node = createPublicClient({ chain, transport })
  const wallet = createWalletClient({ account, chain, transport })

  const sendContent = async (content: EnvelopeContent, valueWei = 0n): Promise<Hash> => {
    const data = encodeEnvelope(content)
    return wallet.sendTransaction({
      to: toHex(routerAddress),
      data: toHex(data),
      value: valueWei,
      gas: envelopeGas(data),
      nonce: await node.getTransactionCount({ address: account.address, blockTag: 'pending' }),
    })
  }
  return {
    latestBlockhash: async () => {
      const { hash } = await node.getBlock()
      return new PublicKey(Buffer.from(hash.slice(2), 'hex')).toBase58()
    },
    send: (transaction, form = 'wire') => {
      const bytes = Uint8Array.from(transaction.serialize())
      if (form === 'json') return sendContent({ json: bytes })
      return sendContent(form === 'base64' ? { base64: bytes } : { transaction: bytes })
    },
    sendBatch: (transactions) =>
      sendContent({ batch: transactions.map((transaction) => Uint8Array.from(transaction.serialize())) }),
    deposit: (to, lamports) => sendContent({ depositTo: to.toBytes() }, lamports * 1_000_000_000n),
    sendContent,
  }
}
