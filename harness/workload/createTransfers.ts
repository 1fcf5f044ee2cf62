import { toBytes } from 'viem'
import { mnemonicToAccount } from 'viem/accounts'
import { developmentMnemonic } from '../anvil.ts'
import { createRpc, type Rpc } from '../devnet/createRpc.ts'
import { createSigner } from '../ethereum/createSigner.ts'
import { envelopeGas } from '../ethereum/envelopeGas.ts'
import { createKeccak256 } from '../ethereum/keccak256.ts'
import { createRandom, type Random } from '../random.ts'
import { encodeEnvelope, routerAddress } from '../svm/encodeEnvelope.ts'
import { encodeTransaction } from '../svm/encodeTransaction.ts'
import { transferLamports } from '../svm/instructions.ts'
import { deriveKeypair, type SvmKeypair } from '../svm/keypair.ts'

export type TransfersOptions = {
  readonly rpcUrl: string
  readonly chainId: number
  readonly seed: string | number
  /** Ethereum accounts of the development phrase that send. Default 8. */
  readonly senders?: number
  /** SVM wallets. Default 8. */
  readonly wallets?: number
}

/** Deposits and transfers that a ledger can be kept of, into any node's pool. */
export type Transfers = {
  /** 32-byte keys of the wallets. */
  readonly wallets: readonly Uint8Array[]
  /**
   * Signs and sends so many, after sending again what a reorg or a crash has taken from the node, as a wallet does. Resolves
   * once the pool has them.
   */
  send(count: number): Promise<void>
  readonly sent: () => number
}

type Call = {
  readonly to: Uint8Array
  readonly value: bigint
  readonly data: Uint8Array
  readonly gas: bigint
}

const weiPerLamport = 1_000_000_000n
/** What every wallet is given first: enough for whatever is taken from it. */
const firstDeposit = 50_000_000_000n
/** Never so little that rent has a say: what may be done with such an account is for the VM to know, not for a ledger. */
const leastDeposit = 1_000_000n
const kinds = [
  ['transfer', 60],
  ['deposit', 10],
  ['plain', 22],
  // Refused without a fee, each for a reason of its own.
  ['wrongSignature', 3],
  ['unknownBlockhash', 3],
  ['again', 2],
] as const

/** The same seed signs the same, as long as the node has the same blocks. */
export async function createTransfers(options: TransfersOptions): Promise<Transfers> {
  const { rpcUrl, chainId, seed, senders: senderCount = 8, wallets: walletCount = 8 } = options
  const rpc = createRpc(rpcUrl)
  const keccak256 = await createKeccak256()
  const wallets = Array.from({ length: walletCount }, (_, index) => deriveKeypair(seed, index))
  const senders = Array.from({ length: senderCount }, (_, addressIndex) => {
    const { privateKey } = mnemonicToAccount(developmentMnemonic, { addressIndex }).getHdKey()
    return createSigner(privateKey!, BigInt(chainId), keccak256)
  })
  /** What each sender has signed, by nonce. */
  const signed: string[][] = senders.map(() => [])
  let made = 0
  let last: Uint8Array | undefined

  const envelope = (data: Uint8Array, value = 0n): Call => ({
    ...{ to: routerAddress, value, data, gas: envelopeGas(data) },
  })
  const deposit = (to: SvmKeypair, lamports: bigint) =>
    envelope(encodeEnvelope({ depositTo: to.publicKey }), lamports * weiPerLamport)
  const transfer = (random: Random, blockhash: Uint8Array): Buffer => {
    const from = random.pick(wallets)
    const to = random.pick(wallets.filter((wallet) => wallet !== from))
    // An amount of its own: no two are the same transaction by accident.
    const lamports = 1_000n + BigInt(made)
    const instructions = [transferLamports(from.publicKey, to.publicKey, lamports)]
    return encodeTransaction({ signers: [from], instructions, blockhash })
  }
  const next = (random: Random, recent: readonly Uint8Array[]): Call => {
    if (made < wallets.length) return deposit(wallets[made]!, firstDeposit)
    const blockhash = recent[recent.length - 1 - random.below(Math.min(4, recent.length))]!
    switch (random.weighted(kinds)) {
      case 'transfer':
        last = transfer(random, blockhash)
        return envelope(encodeEnvelope({ transaction: last }))
      case 'deposit':
        return deposit(random.pick(wallets), leastDeposit + BigInt(random.below(1_000_000)))
      case 'plain': {
        const data = new Uint8Array(0)
        return { to: random.pick(senders).address, value: BigInt(random.uint32()), data, gas: 21_000n }
      }
      case 'wrongSignature': {
        const broken = transfer(random, blockhash)
        broken[1]! ^= 0xff
        return envelope(encodeEnvelope({ transaction: broken }))
      }
      case 'unknownBlockhash':
        return envelope(encodeEnvelope({ transaction: transfer(random, keccak256(blockhash)) }))
      case 'again':
        return envelope(encodeEnvelope({ transaction: last ?? transfer(random, blockhash) }))
    }
  }
  const sign = (sender: number, { to, value, data, gas }: Call): string => {
    const { raw } = senders[sender]!.sign({
      ...{ nonce: BigInt(signed[sender]!.length), to, value, data, gasLimit: gas },
      ...{ maxFeePerGas: 100_000_000_000n, maxPriorityFeePerGas: 1_000_000_000n },
    })
    const hex = `0x${Buffer.from(raw).toString('hex')}`
    signed[sender]!.push(hex)
    return hex
  }
  return {
    wallets: wallets.map(({ publicKey }) => publicKey),
    send: async (count) => {
      const random = createRandom(seed, `transfers ${made}`)
      const recent = await recentHashes(rpc)
      const missing = await missingOf(rpc, senders, signed)
      for (const raw of missing) await sendTo(rpc, raw)
      const fresh = Array.from({ length: count }, () => {
        const raw = sign(random.below(senders.length), next(random, recent))
        made += 1
        return raw
      })
      for (let at = 0; at < fresh.length; at += 100) {
        const calls = fresh
          .slice(at, at + 100)
          .map((raw) => ({ method: 'eth_sendRawTransaction', params: [raw] }))
        await rpc.batch(calls)
      }
    },
    sent: () => made,
  }
}

/** What the accounts have signed and the node no longer has, in its pool or on its chain. */
async function missingOf(
  rpc: Rpc,
  senders: readonly { readonly address: Uint8Array }[],
  signed: readonly (readonly string[])[],
): Promise<string[]> {
  const addresses = senders.map(({ address }) => `0x${Buffer.from(address).toString('hex')}`)
  const counts = await rpc.batch<string>(
    addresses.map((address) => ({ method: 'eth_getTransactionCount', params: [address, 'latest'] })),
  )
  const pending = await rpc.batch<string>(
    addresses.map((address) => ({ method: 'eth_getTransactionCount', params: [address, 'pending'] })),
  )
  return senders.flatMap((_, sender) => {
    const all = signed[sender]!
    // All pending without a gap: nothing is missing. Else from the first that is not on the chain; the pool knows doubles.
    return Number(pending[sender]) >= all.length ? [] : all.slice(Number(counts[sender]))
  })
}

async function sendTo(rpc: Rpc, raw: string): Promise<void> {
  try {
    await rpc.call('eth_sendRawTransaction', [raw])
  } catch (error) {
    // It is there already, in the pool or mined meanwhile.
    if (!/already|known|imported|nonce too low|underpriced/i.test((error as Error).message)) throw error
  }
}

async function recentHashes(rpc: Rpc): Promise<Uint8Array[]> {
  const newest = Number(await rpc.call<string>('eth_blockNumber'))
  const numbers = Array.from({ length: Math.min(newest + 1, 8) }, (_, index) => newest - index).reverse()
  const blocks = await rpc.batch<{ hash: `0x${string}` } | null>(
    numbers.map((number) => ({
      method: 'eth_getBlockByNumber',
      params: [`0x${number.toString(16)}`, false],
    })),
  )
  return blocks.flatMap((block) => (block === null ? [] : [toBytes(block.hash)]))
}
