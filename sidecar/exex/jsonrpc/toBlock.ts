import type { Hash } from 'viem'
import {
  type Block,
  CONTRACT_CREATION,
  EvmStatus,
  type TransactionColumns,
} from '../../notification/types.ts'
import { ChainMovedError, MalformedAnswerError } from './errors.ts'
import {
  byteLength,
  HexFault,
  readBigint,
  readHash,
  readUint32Saturated,
  writeBigEndian,
  writeBytes,
  writeLittleEndian,
  writeLittleEndianSaturated,
} from './hex.ts'

export type BlockFromJsonOptions = {
  /**
   * Status (`0x0`, `0x1`) by transaction hash for receipts that have none: before Byzantium a receipt carried a state
   * root instead. Default: those stay `unknown`.
   */
  readonly derivedStatus?: Readonly<Record<string, string>> | undefined
}

type Json = Readonly<Record<string, unknown>>

const EMPTY = new Uint8Array(0)
/** Address, topic count and data length around a log's topics and data. */
const LOG_FIXED_BYTES = 20 + 1 + 4

/**
 * A block as JSON-RPC gives it (`eth_getBlockByNumber(n, true)`, `eth_getBlockReceipts`) to columns. Without receipts every
 * status is `unknown`, gas used 0, and there are no logs. Quantities may have leading zeros; hex may have either case.
 *
 * Throws `MalformedAnswerError` for JSON that is not a block with full transactions, and `ChainMovedError` when the receipts
 * are not those of this very block (another hash, another transaction, another count): a reorg came between the two calls.
 */
export function blockFromJson(
  json: unknown,
  receipts: readonly unknown[] | undefined,
  options: BlockFromJsonOptions = {},
): Block {
  let where = 'block'
  try {
    const block = object(json, 'block')
    const number = readBigint(block.number, 'number')
    const hash = readHash(block.hash, 'hash')
    where = `block ${number} ${hash}`
    const transactions = array(block.transactions, 'transactions')
    return {
      ref: { number, hash },
      // Genesis has no parent: its hash field is zeros, and no number is below 0.
      parent: { number: number > 0n ? number - 1n : 0n, hash: readHash(block.parentHash, 'parentHash') },
      timestamp: readBigint(block.timestamp, 'timestamp'),
      gasLimit: readBigint(block.gasLimit, 'gasLimit'),
      gasUsed: readBigint(block.gasUsed, 'gasUsed'),
      baseFeePerGas: isAbsent(block.baseFeePerGas)
        ? undefined
        : readBigint(block.baseFeePerGas, 'baseFeePerGas'),
      origin: undefined,
      transactions: columns(transactions, receipts, hash, where, options),
    }
  } catch (error) {
    if (!(error instanceof HexFault)) throw error
    throw new MalformedAnswerError({
      field: error.field,
      where,
      expected: error.expected,
      actual: error.actual,
    })
  }
}

function columns(
  transactions: readonly unknown[],
  receipts: readonly unknown[] | undefined,
  blockHash: Hash,
  where: string,
  options: BlockFromJsonOptions,
): TransactionColumns {
  const count = transactions.length
  if (receipts !== undefined && receipts.length !== count)
    throw new ChainMovedError({ where, expected: `${count} receipts`, actual: `${receipts.length}` })

  const hashes = Buffer.alloc(32 * count)
  const senders = Buffer.alloc(20 * count)
  const to = Buffer.alloc(20 * count)
  const kinds = Buffer.alloc(count)
  const statuses = Buffer.alloc(count, EvmStatus.unknown)
  const selectors = Buffer.alloc(4 * count)
  const values = Buffer.alloc(32 * count)
  const nonces = Buffer.alloc(8 * count)
  const gasLimits = new Uint32Array(count)
  const gasUsed = new Uint32Array(count)
  const gasPrices = Buffer.alloc(8 * count)

  const inputEnds = rowEnds(transactions, 'transactions', (row) => byteLength(inputOf(row), 'input'))
  const inputs = Buffer.alloc(inputEnds[count - 1] ?? 0)
  eachRow(transactions, 'transactions', (row, index) => {
    writeBytes(hashes, 32 * index, 32, row.hash, 'hash')
    writeBytes(senders, 20 * index, 20, row.from, 'from')
    // Old records have no type: then it is a legacy transaction.
    const type = isAbsent(row.type) ? 0 : readUint32Saturated(row.type, 'type') & 0x7f
    // Some nodes write a creation's `to` as empty bytes.
    const creates = isAbsent(row.to) || row.to === '0x'
    if (!creates) writeBytes(to, 20 * index, 20, row.to, 'to')
    kinds[index] = creates ? type | CONTRACT_CREATION : type
    writeBigEndian(values, 32 * index, 32, row.value, 'value')
    writeLittleEndian(nonces, 8 * index, 8, row.nonce, 'nonce')
    gasLimits[index] = readUint32Saturated(row.gas, 'gas')
    const price = priceOf(row, type)
    writeLittleEndianSaturated(gasPrices, 8 * index, 8, price.value, price.field)
    const start = index === 0 ? 0 : inputEnds[index - 1]!
    const end = inputEnds[index]!
    writeBytes(inputs, start, end - start, inputOf(row), 'input')
    inputs.copy(selectors, 4 * index, start, Math.min(end, start + 4))
  })

  const logEnds = receipts === undefined ? new Uint32Array(count) : rowEnds(receipts, 'receipts', logBytes)
  const logs = Buffer.alloc(logEnds[count - 1] ?? 0)
  if (receipts !== undefined)
    eachRow(receipts, 'receipts', (receipt, index) => {
      const row = transactions[index] as Json
      sameHash(receipt.blockHash, blockHash, 'blockHash', index, where)
      sameHash(receipt.transactionHash, row.hash as string, 'transactionHash', index, where)
      statuses[index] = statusOf(receipt, options)
      gasUsed[index] = readUint32Saturated(receipt.gasUsed, 'gasUsed')
      writeLogs(logs, index === 0 ? 0 : logEnds[index - 1]!, array(receipt.logs, 'logs'))
    })

  return {
    count,
    hashes: plain(hashes),
    senders: plain(senders),
    to: plain(to),
    kinds: plain(kinds),
    statuses: plain(statuses),
    selectors: plain(selectors),
    values: plain(values),
    nonces: plain(nonces),
    gasLimits,
    gasUsed,
    gasPrices: plain(gasPrices),
    inputEnds,
    inputs: plain(inputs),
    logEnds,
    logs: plain(logs),
  }
}

/** Fault paths get their row here, once, so that the loops build no strings. */
function eachRow(rows: readonly unknown[], name: string, visit: (row: Json, index: number) => void): void {
  let index = 0
  try {
    for (; index < rows.length; index++) visit(object(rows[index], ''), index)
  } catch (error) {
    if (!(error instanceof HexFault)) throw error
    const path = error.field === '' ? '' : `.${error.field}`
    throw new HexFault(`${name}[${index}]${path}`, error.expected, error.actual)
  }
}

function rowEnds(rows: readonly unknown[], name: string, bytesOf: (row: Json) => number): Uint32Array {
  const ends = new Uint32Array(rows.length)
  let end = 0
  eachRow(rows, name, (row, index) => {
    end += bytesOf(row)
    ends[index] = end
  })
  return ends
}

function inputOf(transaction: Json): unknown {
  return transaction.input ?? transaction.data
}

function priceOf(transaction: Json, type: number): { readonly value: unknown; readonly field: string } {
  if (!isAbsent(transaction.maxFeePerGas)) return { value: transaction.maxFeePerGas, field: 'maxFeePerGas' }
  // Types this code does not know (a rollup's deposit, 0x7e) may have no price at all; Ethereum's own always have one.
  if (isAbsent(transaction.gasPrice) && type > 4) return { value: '0x0', field: 'gasPrice' }
  return { value: transaction.gasPrice, field: 'gasPrice' }
}

function statusOf(receipt: Json, options: BlockFromJsonOptions): number {
  const status = isAbsent(receipt.status)
    ? options.derivedStatus?.[receipt.transactionHash as string]
    : (receipt.status as string)
  if (isAbsent(status)) return EvmStatus.unknown
  const code = readUint32Saturated(status, 'status')
  if (code === 1) return EvmStatus.succeeded
  if (code === 0) return EvmStatus.failed
  throw new HexFault('status', '0x0 or 0x1', status)
}

function logBytes(receipt: Json): number {
  let bytes = 0
  for (const [index, log] of array(receipt.logs, 'logs').entries()) {
    const { topics, data } = object(log, `logs[${index}]`)
    const count = array(topics, `logs[${index}].topics`).length
    if (count > 4) throw new HexFault(`logs[${index}].topics`, 'at most 4 topics', topics)
    bytes += LOG_FIXED_BYTES + 32 * count + byteLength(data, `logs[${index}].data`)
  }
  return bytes
}

/** address 20, topic count 1, topics 32 each, data length u32 LE, data: what `logBytes` counted. */
function writeLogs(target: Buffer, start: number, logs: readonly unknown[]): void {
  let at = start
  for (const log of logs) {
    const { address, topics, data } = log as { address: unknown; topics: readonly unknown[]; data: string }
    writeBytes(target, at, 20, address, 'logs.address')
    target[at + 20] = topics.length
    at += 21
    for (const topic of topics) {
      writeBytes(target, at, 32, topic, 'logs.topics')
      at += 32
    }
    const length = (data.length - 2) / 2
    target.writeUInt32LE(length, at)
    writeBytes(target, at + 4, length, data, 'logs.data')
    at += 4 + length
  }
}

/** A receipt of another block or transaction is no malformed answer: the chain moved between the two calls. */
function sameHash(actual: unknown, expected: string, field: string, index: number, where: string): void {
  if (actual === expected) return
  const hash = readHash(actual, field)
  if (hash === expected.toLowerCase()) return
  throw new ChainMovedError({
    where: `receipt ${index} of ${where}`,
    expected: `${field} ${expected}`,
    actual: hash,
  })
}

function object(value: unknown, field: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new HexFault(field, 'an object', value)
  return value as Json
}

function array(value: unknown, field: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new HexFault(field, 'an array', value)
  return value
}

function isAbsent(value: unknown): value is undefined | null {
  return value === undefined || value === null
}

/** A plain view: a Buffer's `slice` and `toString` differ from what the column's type promises. */
function plain(bytes: Buffer): Uint8Array {
  return bytes.length === 0 ? EMPTY : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
}
