import { getContractAddress, type Hex, toBytes } from 'viem'
import { mnemonicToAccount } from 'viem/accounts'
import { createSigner, type SignedTransaction, type Signer } from '../ethereum/createSigner.ts'
import { envelopeGas } from '../ethereum/envelopeGas.ts'
import type { Keccak256 } from '../ethereum/keccak256.ts'
import type { Random } from '../random.ts'
import {
  createSvmTraffic,
  type RecentHashes,
  type SvmTrafficKind,
  type SvmTrafficState,
} from '../svm/createSvmTraffic.ts'
import { routerAddress } from '../svm/encodeEnvelope.ts'
import {
  type ContractName,
  contractCode,
  contractNames,
  guardCall,
  incrementCall,
  tokenTransferCall,
} from './contracts.ts'

const ethereumMix = [
  ['transfer', 40],
  ['tokenCall', 25],
  ['counterCall', 20],
  ['guardCall', 14],
  ['deploy', 1],
] as const

export type EthereumTrafficKind = (typeof ethereumMix)[number][0]
export const ethereumTrafficKinds: readonly EthereumTrafficKind[] = ethereumMix.map(([kind]) => kind)
export type TrafficKind = EthereumTrafficKind | `svm:${SvmTrafficKind}`

export type DevnetTransaction = SignedTransaction & {
  readonly kind: TrafficKind
  /** Index of the account that signed it. */
  readonly sender: number
  /** Order of signing; the node orders a block by it, see `feeOf`. */
  readonly order: number
}

/** What the next transactions depend on besides their random numbers. */
export type TransactionSourceState = {
  readonly nonces: readonly number[]
  readonly svm: SvmTrafficState
}

export type TransactionSource = {
  /** The transaction that deploys the contracts' number `index`: the first ones of block 1. */
  deploy(index: number): DevnetTransaction
  ethereum(random: Random, senders: readonly number[]): DevnetTransaction
  envelope(random: Random, senders: readonly number[], recent: RecentHashes): DevnetTransaction
  /** Counts a transaction signed before as sent again. */
  resend(transaction: DevnetTransaction): void
  state(): TransactionSourceState
  restore(state: TransactionSourceState): void
}

/** Gas a block must have for a number of transactions of this traffic, with room to keep the base fee from rising. */
export const gasPerTransaction = 600_000n

/** Signs this traffic's transactions, one after the other, with explicit nonces: nothing is asked of the node. */
export function createTransactionSource(
  options: {
    readonly seed: string | number
    readonly mnemonic: string
    readonly accounts: number
    readonly chainId: number
  },
  keccak256: Keccak256,
): TransactionSource {
  const signers: Signer[] = Array.from({ length: options.accounts }, (_, addressIndex) => {
    const { privateKey } = mnemonicToAccount(options.mnemonic, { addressIndex }).getHdKey()
    return createSigner(privateKey!, BigInt(options.chainId), keccak256)
  })
  const contracts = Object.fromEntries(
    contractNames.map((name, nonce) => {
      const from = `0x${Buffer.from(signers[0]!.address).toString('hex')}` as Hex
      return [name, toBytes(getContractAddress({ from, nonce: BigInt(nonce) }))]
    }),
  ) as Record<ContractName, Uint8Array>
  const svm = createSvmTraffic(options.seed)
  let nonces: number[] = signers.map(() => 0)
  let order = 0

  const sign = (
    kind: TrafficKind,
    sender: number,
    call: { to: Uint8Array | undefined; value?: bigint; data?: Uint8Array; gasLimit: bigint },
  ): DevnetTransaction => {
    const signed = signers[sender]!.sign({
      nonce: BigInt(nonces[sender]!),
      to: call.to,
      value: call.value ?? 0n,
      data: call.data ?? new Uint8Array(0),
      gasLimit: call.gasLimit,
      maxFeePerGas: feeOf(order),
      maxPriorityFeePerGas: 1n,
    })
    nonces[sender]! += 1
    return { ...signed, kind, sender, order: order++ }
  }
  const deploy = (sender: number, name: ContractName) =>
    sign('deploy', sender, { to: undefined, data: contractCode[name], gasLimit: 200_000n })

  return {
    deploy: (index) => deploy(0, contractNames[index]!),
    ethereum: (random, senders) => {
      const kind = random.weighted(ethereumMix)
      const sender = random.pick(senders)
      const someone = random.pick(signers).address
      switch (kind) {
        case 'transfer':
          return sign(kind, sender, {
            to: someone,
            value: BigInt(random.uint32()) * 1_000_000n,
            gasLimit: 21_000n,
          })
        case 'counterCall':
          return sign(kind, sender, { to: contracts.counter, data: incrementCall, gasLimit: 60_000n })
        case 'guardCall':
          return sign(kind, sender, {
            to: contracts.guard,
            data: guardCall(BigInt(random.uint32())),
            gasLimit: 60_000n,
          })
        case 'tokenCall':
          return sign(kind, sender, {
            to: contracts.token,
            data: tokenTransferCall(someone, BigInt(random.uint32())),
            gasLimit: 120_000n,
          })
        case 'deploy':
          return deploy(sender, random.pick(contractNames))
      }
    },
    envelope: (random, senders, recent) => {
      const { kind, data, valueWei } = svm.next(random, recent)
      const gasLimit = envelopeGas(data)
      return sign(`svm:${kind}`, random.pick(senders), { to: routerAddress, value: valueWei, data, gasLimit })
    },
    resend: (transaction) => {
      nonces[transaction.sender]! += 1
    },
    state: () => ({ nonces: [...nonces], svm: svm.state() }),
    restore: (state) => {
      nonces = [...state.nonces]
      svm.restore(state.svm)
    },
  }
}

/**
 * One wei less for each transaction signed: the node orders a block by this fee, so the order of a block is the order
 * of signing, in whatever order requests reach the pool. 1 000 gwei at the start is far above any base fee here.
 */
function feeOf(order: number): bigint {
  return 1_000_000_000_000n - BigInt(order)
}
