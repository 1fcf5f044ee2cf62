import { hash } from 'node:crypto'
import type { BlockRef } from '../../notification/types.ts'

/** A call that an Ethereum account makes. */
export type EthereumCall = {
  /** 20 bytes. */
  readonly sender: Uint8Array
  readonly nonce: number
  readonly to: `0x${string}`
  readonly valueWei: bigint
  readonly data: Uint8Array
}

/** What a node would answer about a block of such calls: `eth_getBlockByNumber` and `eth_getBlockReceipts`. */
export type BlockJson = { readonly block: unknown; readonly receipts: readonly unknown[] }

const gasLimit = 30_000_000
const secondsPerBlock = 12
const firstTimestamp = 1_700_000_000
const gwei = 1_000_000_000

/**
 * A block of successful calls on its parent. `congestion` says how full it is: what else it holds beside the calls is left
 * out, its gas is not. Hashes are of its content, and of `place`, which tells blocks of the same content apart.
 */
export function blockJson(
  parent: BlockRef,
  calls: readonly EthereumCall[],
  { congestion, place }: { readonly congestion: number; readonly place: string },
): BlockJson {
  const number = parent.number + 1n
  const transactions = calls.map((call, index) => {
    const identity = `${parent.hash} ${place} ${index} `
    return {
      hash: `0x${hash('sha256', Buffer.concat([Buffer.from(identity), call.data]), 'hex')}`,
      from: hex(call.sender),
      to: call.to,
      value: quantity(call.valueWei),
      nonce: quantity(call.nonce),
      gas: quantity(gasOf(call.data)),
      type: '0x2',
      maxFeePerGas: quantity(Math.floor((10 + 40 * congestion) * gwei)),
      input: hex(call.data),
    }
  })
  const names = transactions.map((transaction) => transaction.hash).join()
  const blockHash = `0x${hash('sha256', `${parent.hash} ${place} ${names}`, 'hex')}`
  return {
    block: {
      number: quantity(number),
      hash: blockHash,
      parentHash: parent.hash,
      timestamp: quantity(firstTimestamp + secondsPerBlock * Number(number)),
      gasLimit: quantity(gasLimit),
      gasUsed: quantity(Math.floor(gasLimit * congestion)),
      baseFeePerGas: quantity(Math.floor((5 + 20 * congestion) * gwei)),
      transactions,
    },
    receipts: transactions.map((transaction) => ({
      blockHash,
      transactionHash: transaction.hash,
      status: '0x1',
      gasUsed: transaction.gas,
      logs: [],
    })),
  }
}

/** A call without an effect on the EVM: what being a transaction costs, and its calldata. */
function gasOf(data: Uint8Array): number {
  let gas = 21_000
  for (const byte of data) gas += byte === 0 ? 4 : 16
  return gas
}

const hex = (bytes: Uint8Array): string => `0x${Buffer.from(bytes).toString('hex')}`
const quantity = (value: bigint | number): string => `0x${value.toString(16)}`
