import { crc32 } from 'node:zlib'
import protobuf from 'protobufjs'
import type { Block } from '../notification/types.ts'
import { WireError } from './errors.ts'
import { bytesFromHash, hashFromBytes } from './hex.ts'
import { bytesSize, MessageWriter, uintSize } from './messageWriter.ts'
import { bigintOf, exExSchema, type Uint64 } from './schema.ts'
import type { EncodedBlock } from './server/types.ts'

const BlockMessage = exExSchema.lookupType('exex.v1.Block')

/** What protobufjs makes of the message; byte fields are views on the frame. */
type BlockFields = {
  readonly number: Uint64
  readonly hash: Uint8Array
  readonly parentHash: Uint8Array
  readonly timestamp: Uint64
  readonly gasLimit: Uint64
  readonly gasUsed: Uint64
  readonly baseFeePerGas: Uint8Array
  readonly origin: string
  readonly count: number
} & Readonly<Record<keyof typeof widths, Uint8Array>> & {
    readonly inputs: Uint8Array
    readonly logs: Uint8Array
  }

/** Bytes a row of each column that has a fixed width, by its name on the wire. */
const widths = {
  hashes: 32,
  senders: 20,
  to: 20,
  kinds: 1,
  statuses: 1,
  selectors: 4,
  values: 32,
  nonces: 8,
  gasLimits: 4,
  gasUsedBy: 4,
  gasPrices: 8,
  inputEnds: 4,
  logEnds: 4,
} as const

/** The columns in field order, from field 10 on. */
const columnNames = [
  'hashes',
  'senders',
  'to',
  'kinds',
  'statuses',
  'selectors',
  'values',
  'nonces',
  'gasLimits',
  'gasUsedBy',
  'gasPrices',
  'inputEnds',
  'inputs',
  'logEnds',
  'logs',
] as const
const FIRST_COLUMN_FIELD = 10
/** The first of the two log fields; they are the last of the message, so that they can be cut off. */
const LOG_ENDS_FIELD = 23
const EMPTY = new Uint8Array(0)

/**
 * Encodes a block, into one allocation of the right size, and checksums it.
 * Throws `WireError` when a column's length does not match `count`, a hash is not 32 bytes, a number not 64 bits.
 */
export function encodeBlock(block: Block): EncodedBlock {
  const rows = block.transactions
  const hash = bytesFromHash(block.ref.hash, 'block.hash')
  const parentHash = bytesFromHash(block.parent.hash, 'block.parent_hash')
  const baseFee = bigEndian(block.baseFeePerGas)
  const origin = block.origin === undefined ? EMPTY : Buffer.from(block.origin)
  const columns = {
    hashes: rows.hashes,
    senders: rows.senders,
    to: rows.to,
    kinds: rows.kinds,
    statuses: rows.statuses,
    selectors: rows.selectors,
    values: rows.values,
    nonces: rows.nonces,
    gasLimits: bytesOf(rows.gasLimits),
    gasUsedBy: bytesOf(rows.gasUsed),
    gasPrices: rows.gasPrices,
    inputEnds: bytesOf(rows.inputEnds),
    inputs: rows.inputs,
    // A block without logs carries neither log column.
    logEnds: rows.logs.length === 0 ? EMPTY : bytesOf(rows.logEnds),
    logs: rows.logs,
  }
  checkWidths(rows.count, columns)

  let size =
    uintSize(1, block.ref.number) +
    bytesSize(2, hash.length) +
    bytesSize(3, parentHash.length) +
    uintSize(4, block.timestamp) +
    uintSize(5, block.gasLimit) +
    uintSize(6, block.gasUsed) +
    bytesSize(7, baseFee.length) +
    bytesSize(8, origin.length) +
    uintSize(9, rows.count)
  const bodies = columnNames.map((name) => columns[name])
  for (let i = 0; i < bodies.length; i++) size += bytesSize(FIRST_COLUMN_FIELD + i, bodies[i]!.length)

  const writer = new MessageWriter(size)
  writer.uint(1, block.ref.number)
  writer.bytes(2, hash)
  writer.bytes(3, parentHash)
  writer.uint(4, block.timestamp)
  writer.uint(5, block.gasLimit)
  writer.uint(6, block.gasUsed)
  writer.bytes(7, baseFee)
  writer.bytes(8, origin)
  writer.uint(9, rows.count)
  for (let i = 0; i < bodies.length; i++) writer.bytes(FIRST_COLUMN_FIELD + i, bodies[i]!)
  const bytes = writer.finish()
  return { ref: block.ref, parent: block.parent, bytes, crc32: crc32(bytes) }
}

/**
 * Decodes and checks a block. Byte columns are views on `bytes`; the u32 columns are copied, for alignment.
 * Throws `WireError` naming the field, what was expected and what came.
 */
export function decodeBlock(bytes: Uint8Array): Block {
  const fields = decodeFields(bytes)
  const { count } = fields
  checkWidths(count, fields)
  const inputEnds = uint32s(fields.inputEnds)
  const logEnds = fields.logEnds.length === 0 ? new Uint32Array(count) : uint32s(fields.logEnds)
  checkEnds('block.input_ends', inputEnds, fields.inputs.length)
  checkEnds('block.log_ends', logEnds, fields.logs.length)
  checkStatuses(fields.statuses)
  const number = bigintOf(fields.number)
  return {
    ref: { number, hash: hashFromBytes(fields.hash, 'block.hash') },
    // The genesis block has no parent: its reference repeats number 0, with the hash it states.
    parent: {
      number: number === 0n ? 0n : number - 1n,
      hash: hashFromBytes(fields.parentHash, 'block.parent_hash'),
    },
    timestamp: bigintOf(fields.timestamp),
    gasLimit: bigintOf(fields.gasLimit),
    gasUsed: bigintOf(fields.gasUsed),
    baseFeePerGas: fields.baseFeePerGas.length === 0 ? undefined : unsigned(fields.baseFeePerGas),
    origin: fields.origin === '' ? undefined : fields.origin,
    transactions: {
      count,
      hashes: view(fields.hashes),
      senders: view(fields.senders),
      to: view(fields.to),
      kinds: view(fields.kinds),
      statuses: view(fields.statuses),
      selectors: view(fields.selectors),
      values: view(fields.values),
      nonces: view(fields.nonces),
      gasLimits: uint32s(fields.gasLimits),
      gasUsed: uint32s(fields.gasUsedBy),
      gasPrices: view(fields.gasPrices),
      inputEnds,
      inputs: view(fields.inputs),
      logEnds,
      logs: view(fields.logs),
    },
  }
}

/** The encoding without its logs, for a consumer that did not ask for them: a shorter view on the same bytes. */
export function withoutLogs(block: EncodedBlock): EncodedBlock {
  const reader = protobuf.Reader.create(block.bytes)
  let end = 0
  while (reader.pos < reader.len) {
    const tag = reader.uint32()
    if (tag >>> 3 >= LOG_ENDS_FIELD) break
    reader.skipType(tag & 7)
    end = reader.pos
  }
  if (end === block.bytes.length) return block
  const bytes = block.bytes.subarray(0, end)
  return { ref: block.ref, parent: block.parent, bytes, crc32: crc32(bytes) }
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }
const byteColumns = [
  ...['hashes', 'senders', 'to', 'kinds', 'statuses', 'selectors', 'values', 'nonces', 'gasLimits'],
  ...['gasUsedBy', 'gasPrices', 'inputEnds', 'inputs', 'logEnds', 'logs'],
] as ('hashes' | 'inputs' | 'logs' | keyof typeof widths)[]

/** protobufjs gives an absent byte field as a plain empty array. */
const view = (bytes: Uint8Array): Uint8Array => (bytes.length === 0 ? EMPTY : bytes)

function decodeFields(bytes: Uint8Array): BlockFields {
  try {
    // The generated decoder types every field by the schema; checkWidths and the rest check what the schema cannot say.
    const fields = BlockMessage.decode(bytes) as unknown as Mutable<BlockFields>
    // An absent bytes field comes as the schema's default, which is an empty array, not bytes.
    for (const name of byteColumns) if (fields[name].length === 0) fields[name] = EMPTY
    return fields
  } catch (cause) {
    throw new WireError('block', 'a message exex.v1.Block', `${bytes.length} bytes that are not one`, cause)
  }
}

function checkWidths(count: number, fields: Readonly<Record<keyof typeof widths, Uint8Array>>): void {
  for (const name of widthNames) {
    const { length } = fields[name]
    if (length !== count * widths[name] && !(name === 'logEnds' && length === 0)) {
      throw new WireError(`block.${name}`, `${count} rows of ${widths[name]} bytes`, `${length} bytes`)
    }
  }
}
const widthNames = Object.keys(widths) as (keyof typeof widths)[]

function checkEnds(field: string, ends: Uint32Array, length: number): void {
  let previous = 0
  for (let row = 0; row < ends.length; row++) {
    const end = ends[row]!
    if (end < previous) throw new WireError(`${field}[${row}]`, `at least ${previous}`, `${end}`)
    previous = end
  }
  if (previous !== length)
    throw new WireError(field, `the last end at ${length}, the buffer's length`, `${previous}`)
}

function checkStatuses(statuses: Uint8Array): void {
  for (let row = 0; row < statuses.length; row++) {
    if (statuses[row]! > 2) throw new WireError(`block.statuses[${row}]`, '0, 1 or 2', `${statuses[row]}`)
  }
}

// Columns travel little-endian, the order of every platform this runs on.
const bytesOf = (column: Uint32Array): Uint8Array =>
  new Uint8Array(column.buffer, column.byteOffset, column.byteLength)

function uint32s(bytes: Uint8Array): Uint32Array {
  const copy = new Uint32Array(bytes.length >>> 2)
  new Uint8Array(copy.buffer).set(bytes)
  return copy
}

function bigEndian(value: bigint | undefined): Uint8Array {
  if (value === undefined) return EMPTY
  if (value < 0n) throw new WireError('block.base_fee_per_gas', 'no negative number', `${value}`)
  // A base fee of zero is a value, not an absence: one zero byte.
  const hex = value.toString(16)
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex')
}

const unsigned = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).toString('hex')}`)
