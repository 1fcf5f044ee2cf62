import type { Hash } from 'viem'
import { type Block, CONTRACT_CREATION, EvmStatus } from '../../../../sidecar/notification/types.ts'

/** One transaction of a test block; what is left out is a plain call that succeeded. */
export type Transaction = {
  /** Hex without prefix, or the last byte of an address; undefined creates a contract. */
  readonly to?: string | number | undefined
  readonly creates?: boolean
  /** Hex without prefix, or the last byte of an address; zeros by default. */
  readonly sender?: string | number
  /** Hex without prefix. */
  readonly input?: string
  readonly value?: bigint
  readonly gasLimit?: number
  readonly status?: (typeof EvmStatus)[keyof typeof EvmStatus]
  readonly type?: number
  /** Hex without prefix, 32 bytes. */
  readonly hash?: string
}

export type BlockSpec = {
  readonly number: number
  /** Tells forks apart: part of the hash. */
  readonly fork?: number
  readonly parentFork?: number
  readonly gasUsed?: bigint
  readonly transactions: readonly Transaction[]
}

export function hashOf(number: number, fork = 0): Hash {
  return `0x${fork.toString(16).padStart(32, '0')}${number.toString(16).padStart(32, '0')}`
}

function addressOf(given: string | number): Buffer {
  return Buffer.from(typeof given === 'number' ? given.toString(16).padStart(40, '0') : given, 'hex')
}

/** A block of columns, as the wire would deliver it. */
export function createBlock(spec: BlockSpec): Block {
  const { transactions, number } = spec
  const count = transactions.length
  const inputs = Buffer.concat(transactions.map(({ input = '' }) => Buffer.from(input, 'hex')))
  const inputEnds = new Uint32Array(count)
  const columns = {
    count,
    hashes: new Uint8Array(count * 32),
    senders: new Uint8Array(count * 20),
    to: new Uint8Array(count * 20),
    kinds: new Uint8Array(count),
    statuses: new Uint8Array(count),
    selectors: new Uint8Array(count * 4),
    values: new Uint8Array(count * 32),
    nonces: new Uint8Array(count * 8),
    gasLimits: new Uint32Array(count),
    gasUsed: new Uint32Array(count),
    gasPrices: new Uint8Array(count * 8),
    inputEnds,
    inputs,
    logEnds: new Uint32Array(count),
    logs: new Uint8Array(0),
  }
  let end = 0
  transactions.forEach((transaction, row) => {
    const { to = 1, creates = false, input = '', value = 0n, hash } = transaction
    if (!creates) columns.to.set(addressOf(to), row * 20)
    columns.senders.set(addressOf(transaction.sender ?? 0), row * 20)
    columns.kinds[row] = (transaction.type ?? 2) | (creates ? CONTRACT_CREATION : 0)
    columns.statuses[row] = transaction.status ?? EvmStatus.succeeded
    columns.selectors.set(Buffer.from(input, 'hex').subarray(0, 4), row * 4)
    columns.values.set(Buffer.from(value.toString(16).padStart(64, '0'), 'hex'), row * 32)
    columns.gasLimits[row] = transaction.gasLimit ?? 100_000
    columns.hashes.set(
      Buffer.from(hash ?? (number * 65_536 + row).toString(16).padStart(64, '0'), 'hex'),
      row * 32,
    )
    end += input.length / 2
    inputEnds[row] = end
  })
  return {
    ref: { number: BigInt(number), hash: hashOf(number, spec.fork) },
    parent: { number: BigInt(number - 1), hash: hashOf(number - 1, spec.parentFork ?? spec.fork) },
    timestamp: 1_700_000_000n + 12n * BigInt(number),
    gasLimit: 30_000_000n,
    gasUsed: spec.gasUsed ?? 15_000_000n,
    baseFeePerGas: 1_000_000_000n,
    origin: undefined,
    transactions: columns,
  }
}
