import { createHash } from 'node:crypto'
import { type Block, type BlockRef, CONTRACT_CREATION, EvmStatus } from '#exex/server'

type Hex = `0x${string}`

/** One transaction of a built block; what is left out gets a value derived from its place in the block. */
export type TransactionFields = {
  readonly from?: Hex
  /** null: a contract creation. */
  readonly to?: Hex | null
  readonly input?: Hex
  readonly value?: bigint
  readonly nonce?: bigint
  readonly type?: number
  readonly status?: keyof typeof EvmStatus
  readonly gasLimit?: number
  readonly gasUsed?: number
  readonly gasPrice?: bigint
  readonly hash?: Hex
  readonly logs?: readonly LogFields[]
}
export type LogFields = { readonly address: Hex; readonly topics: readonly Hex[]; readonly data: Hex }

export type BlockFields = {
  readonly parent: BlockRef
  readonly transactions: readonly TransactionFields[]
  /** Unix seconds. */
  readonly timestamp: bigint
  /** Makes siblings differ. */
  readonly salt?: string
  readonly gasLimit?: bigint
  readonly baseFeePerGas?: bigint
  readonly origin?: string
}

/** A block on a parent. Its hash is the SHA-256 of its contents: the same fields give the same block. */
export function buildBlock(fields: BlockFields): Block {
  const number = fields.parent.number + 1n
  const rows = fields.transactions
  const inputs = rows.map((row) => bytes(row.input ?? '0x'))
  const logs = rows.map((row) => Buffer.concat((row.logs ?? []).map(logBytes)))
  const gasUsed = Uint32Array.from(rows, (row) => row.gasUsed ?? 21_000)
  const seed = `${fields.parent.hash}:${fields.salt ?? ''}`
  const columns = {
    count: rows.length,
    hashes: concat(rows.map((row, i) => (row.hash ? bytes(row.hash) : digest(seed, `hash ${i}`)))),
    senders: concat(
      rows.map((row, i) => (row.from ? bytes(row.from) : digest('sender', `${i}`).subarray(0, 20))),
    ),
    to: concat(rows.map((row, i) => recipient(row.to, i))),
    kinds: Uint8Array.from(rows, (row) => (row.type ?? 2) | (row.to === null ? CONTRACT_CREATION : 0)),
    statuses: Uint8Array.from(rows, (row) => EvmStatus[row.status ?? 'succeeded']),
    selectors: concat(inputs.map((input) => Buffer.concat([input.subarray(0, 4), Buffer.alloc(4)], 4))),
    values: concat(rows.map((row) => bytes(`0x${(row.value ?? 0n).toString(16).padStart(64, '0')}`))),
    nonces: uint64s(rows.map((row) => row.nonce ?? number)),
    gasLimits: Uint32Array.from(rows, (row) => row.gasLimit ?? 100_000),
    gasUsed,
    gasPrices: uint64s(rows.map((row) => row.gasPrice ?? 2_000_000_000n)),
    inputEnds: ends(inputs),
    inputs: concat(inputs),
    logEnds: ends(logs),
    logs: concat(logs),
  }
  const hash = createHash('sha256')
    .update(seed)
    .update(`:${number}:${fields.timestamp}:${fields.origin ?? ''}`)
  for (const column of [columns.hashes, columns.senders, columns.to, columns.kinds, columns.statuses])
    hash.update(column)
  for (const column of [columns.values, columns.inputs, columns.logs]) hash.update(column)
  return {
    ref: { number, hash: `0x${hash.digest('hex')}` },
    parent: fields.parent,
    timestamp: fields.timestamp,
    gasLimit: fields.gasLimit ?? 30_000_000n,
    gasUsed: BigInt(gasUsed.reduce((sum, gas) => sum + gas, 0)),
    baseFeePerGas: fields.baseFeePerGas ?? 1_000_000_000n,
    origin: fields.origin,
    transactions: columns,
  }
}

const bytes = (hex: Hex): Buffer => Buffer.from(hex.slice(2), 'hex')
const concat = (parts: readonly Uint8Array[]): Uint8Array => Buffer.concat(parts)
const digest = (...parts: readonly string[]): Buffer => createHash('sha256').update(parts.join(' ')).digest()
const uint64s = (values: readonly bigint[]): Uint8Array => new Uint8Array(BigUint64Array.from(values).buffer)

function recipient(to: Hex | null | undefined, row: number): Uint8Array {
  if (to === null) return Buffer.alloc(20)
  return to === undefined ? digest('recipient', `${row % 7}`).subarray(0, 20) : bytes(to)
}

function ends(parts: readonly Uint8Array[]): Uint32Array {
  let end = 0
  return Uint32Array.from(parts, (part) => {
    end += part.length
    return end
  })
}

function logBytes(log: LogFields): Buffer {
  const data = bytes(log.data)
  const length = Buffer.alloc(4)
  length.writeUInt32LE(data.length)
  return Buffer.concat([
    bytes(log.address),
    Buffer.of(log.topics.length),
    ...log.topics.map(bytes),
    length,
    data,
  ])
}
