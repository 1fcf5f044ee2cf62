import { type Block, CONTRACT_CREATION, EvmStatus } from '../../notification/types.ts'
import { WireError } from '../errors.ts'
import { bufferOf, hashFromBytes } from '../hex.ts'
import {
  type RemoteBlock,
  type RemoteReceipt,
  type RemoteTransaction,
  type RemoteTransactionFields,
  remoteTypes,
} from '../remoteMessages.ts'
import { bigintOf } from '../schema.ts'

const MAX_UINT32 = 0xffff_ffff

/**
 * A block of the official service as columns. Without receipts every status is `unknown`.
 * Throws `WireError` naming the field that is not as it should be.
 */
export function fromRemoteBlock(remote: RemoteBlock, receipts: readonly RemoteReceipt[] | undefined): Block {
  const header = remote.header?.header
  if (header == null) throw new WireError('block.header', 'a header', 'none')
  const number = bigintOf(header.number)
  const { body, senders } = remote
  if (senders.length !== body.length)
    throw new WireError('block.senders', `${body.length}`, `${senders.length}`)
  if (receipts !== undefined && receipts.length !== body.length) {
    throw new WireError('receipts', `${body.length}, one a transaction`, `${receipts.length}`)
  }
  const rows = body.map(rowOf)
  const inputs = rows.map(({ fields }) => bytesOf(fields.input))
  const logs = body.map((_, i) => logBytes(receipts?.[i]))
  return {
    ref: { number, hash: hashFromBytes(remote.header.hash, 'block.header.hash') },
    parent: {
      number: number === 0n ? 0n : number - 1n,
      hash: hashFromBytes(header.parentHash, 'block.header.parent_hash'),
    },
    timestamp: bigintOf(header.timestamp),
    gasLimit: bigintOf(header.gasLimit),
    gasUsed: bigintOf(header.gasUsed),
    baseFeePerGas: header.baseFeePerGas == null ? undefined : bigintOf(header.baseFeePerGas),
    origin: undefined,
    transactions: {
      count: body.length,
      hashes: Buffer.concat(body.map((transaction) => sized(transaction.hash, 32, 'transaction.hash'))),
      senders: Buffer.concat(senders.map((sender) => sized(sender, 20, 'block.senders'))),
      to: Buffer.concat(rows.map(({ to }) => to ?? Buffer.alloc(20))),
      kinds: Uint8Array.from(rows, ({ type, to }) => (to === undefined ? type | CONTRACT_CREATION : type)),
      statuses: Uint8Array.from(body, (_, i) => statusOf(receipts?.[i])),
      selectors: Buffer.concat(
        inputs.map((input) => Buffer.concat([input.subarray(0, 4), Buffer.alloc(4)], 4)),
      ),
      values: Buffer.concat(rows.map(({ fields }) => bigEndian32(fields.value))),
      nonces: new Uint8Array(BigUint64Array.from(rows, ({ fields }) => bigintOf(fields.nonce)).buffer),
      gasLimits: Uint32Array.from(rows, ({ fields }) =>
        Number(min(amount(fields.gasLimit), BigInt(MAX_UINT32))),
      ),
      gasUsed: gasUsedOf(body.length, receipts),
      gasPrices: new Uint8Array(BigUint64Array.from(rows, ({ price }) => min(price, 2n ** 64n - 1n)).buffer),
      inputEnds: ends(inputs),
      inputs: Buffer.concat(inputs),
      logEnds: ends(logs),
      logs: Buffer.concat(logs),
    },
  }
}

type Row = {
  readonly type: number
  readonly fields: RemoteTransactionFields
  /** undefined: a contract creation. */
  readonly to: Uint8Array | undefined
  readonly price: bigint
}

function rowOf(transaction: RemoteTransaction): Row {
  const type = remoteTypes.findIndex((name) => transaction[name] != null)
  const fields = type === -1 ? undefined : transaction[remoteTypes[type]!]
  if (fields == null) throw new WireError('transaction', `one of ${remoteTypes.join(', ')}`, 'none')
  return {
    type,
    fields,
    to: recipientOf(fields.to),
    price: amount(fields.maxFeePerGas ?? fields.gasPrice ?? EMPTY),
  }
}

function recipientOf(to: RemoteTransactionFields['to']): Uint8Array | undefined {
  if (to instanceof Uint8Array) return sized(to, 20, 'transaction.to')
  if (to?.create != null) return undefined
  if (to?.call == null) throw new WireError('transaction.to', 'create or call', 'neither')
  return sized(to.call, 20, 'transaction.to.call')
}

const EMPTY = new Uint8Array(0)
/** protobufjs gives an absent byte field as a plain empty array. */
const bytesOf = (bytes: Uint8Array): Uint8Array => (bytes.length === 0 ? EMPTY : bytes)
const min = (a: bigint, b: bigint): bigint => (a < b ? a : b)

function sized(bytes: Uint8Array, length: number, field: string): Uint8Array {
  if (bytes.length !== length) throw new WireError(field, `${length} bytes`, `${bytes.length}`)
  return bytes
}

/** Little-endian bytes as a number. */
function amount(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`)
}

function bigEndian32(bytes: Uint8Array): Uint8Array {
  if (bytes.length > 32) throw new WireError('transaction.value', 'at most 32 bytes', `${bytes.length}`)
  const value = Buffer.alloc(32)
  value.set(Buffer.from(bytes).reverse(), 32 - bytes.length)
  return value
}

function statusOf(receipt: RemoteReceipt | undefined): number {
  if (receipt?.nonEmpty == null) return EvmStatus.unknown
  return receipt.nonEmpty.success ? EvmStatus.succeeded : EvmStatus.failed
}

/** Receipts hold running totals: a transaction's own use is the difference to the one before. */
function gasUsedOf(count: number, receipts: readonly RemoteReceipt[] | undefined): Uint32Array {
  const used = new Uint32Array(count)
  let total = 0n
  for (let i = 0; i < count; i++) {
    const receipt = receipts?.[i]?.nonEmpty
    if (receipt == null) continue
    const cumulative = bigintOf(receipt.cumulativeGasUsed)
    if (cumulative < total)
      throw new WireError(`receipts[${i}].cumulative_gas_used`, `at least ${total}`, `${cumulative}`)
    used[i] = Number(min(cumulative - total, BigInt(MAX_UINT32)))
    total = cumulative
  }
  return used
}

function logBytes(receipt: RemoteReceipt | undefined): Buffer {
  return Buffer.concat(
    (receipt?.nonEmpty?.logs ?? []).flatMap(({ address, data }) => {
      const length = Buffer.alloc(4)
      length.writeUInt32LE(data.data.length)
      const topics = data.topics.map((topic) => sized(topic, 32, 'log.topics'))
      return [
        sized(address, 20, 'log.address'),
        Buffer.of(topics.length),
        ...topics,
        length,
        bufferOf(bytesOf(data.data)),
      ]
    }),
  )
}

function ends(parts: readonly Uint8Array[]): Uint32Array {
  let end = 0
  return Uint32Array.from(parts, (part) => {
    end += part.length
    return end
  })
}
