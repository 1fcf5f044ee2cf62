import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { Hash, Hex } from 'viem'
import { type Block, CONTRACT_CREATION, EvmStatus } from '../../../sidecar/notification/types.ts'

type RpcTransaction = {
  hash: Hex
  from: Hex
  to: Hex | null
  type?: Hex
  value: Hex
  nonce?: Hex
  gas: Hex
  gasPrice?: Hex
  maxFeePerGas?: Hex
  input: Hex
}
type RpcBlock = {
  hash: Hash
  number: Hex
  parentHash: Hash
  timestamp: Hex
  gasLimit: Hex
  gasUsed: Hex
  baseFeePerGas?: Hex
  transactions: RpcTransaction[]
}
type RpcLog = { address: Hex; topics: Hex[]; data: Hex }
type RpcReceipt = { transactionHash: Hex; status?: Hex; gasUsed: Hex; logs: RpcLog[] }

/**
 * Mainnet transactions dealt into blocks of `perBlock`, chained by number. Only transactions with receipts are taken
 * when `logs` is set. Undefined when the recorded data is not on this machine (`MONMOUTH_SHARED`, or `../shared`).
 */
export function recordedBlocks(
  count: number,
  perBlock: number,
  options: { logs: boolean },
): Block[] | undefined {
  const folder = join(
    process.env.MONMOUTH_SHARED ?? join(import.meta.dirname, '../../../../shared'),
    'data/ethereum',
  )
  if (!existsSync(join(folder, 'blocks.jsonl.gz'))) return undefined
  const receipts = new Map<Hex, RpcReceipt>()
  for (const line of readLines<{ receipts: RpcReceipt[] }>(join(folder, 'receipts.jsonl.gz'))) {
    for (const receipt of line.receipts) receipts.set(receipt.transactionHash, receipt)
  }
  const all = readLines<RpcBlock>(join(folder, 'blocks.jsonl.gz')).flatMap((block) => block.transactions)
  const pool = options.logs ? all.filter((transaction) => receipts.has(transaction.hash)) : all
  return Array.from({ length: count }, (_, i) => {
    const rows = Array.from({ length: perBlock }, (_, row) => pool[(i * perBlock + row) % pool.length]!)
    return toBlock(BigInt(i + 1), rows, options.logs ? receipts : new Map())
  })
}

function readLines<T>(file: string): T[] {
  const text = gunzipSync(readFileSync(file)).toString('utf8')
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line): T => JSON.parse(line))
}

const hashOf = (number: bigint): Hash => `0x${number.toString(16).padStart(64, '0')}`
const bytesOf = (hex: Hex): Buffer => Buffer.from(hex.slice(2), 'hex')
const saturated = (hex: Hex): number => Math.min(Number(BigInt(hex)), 0xffff_ffff)

function toBlock(number: bigint, rows: RpcTransaction[], receipts: Map<Hex, RpcReceipt>): Block {
  const count = rows.length
  const inputs = rows.map((row) => bytesOf(row.input))
  const logs = rows.map((row) => Buffer.concat((receipts.get(row.hash)?.logs ?? []).map(logBytes)))
  const u64 = (value: (row: RpcTransaction) => Hex) =>
    new Uint8Array(BigUint64Array.from(rows, (row) => BigInt(value(row))).buffer)
  return {
    ref: { number, hash: hashOf(number) },
    parent: { number: number - 1n, hash: hashOf(number - 1n) },
    timestamp: 1_700_000_000n + number,
    gasLimit: 30_000_000n,
    gasUsed: 15_000_000n,
    baseFeePerGas: 7_000_000_000n,
    origin: undefined,
    transactions: {
      count,
      hashes: Buffer.concat(rows.map((row) => bytesOf(row.hash))),
      senders: Buffer.concat(rows.map((row) => bytesOf(row.from))),
      to: Buffer.concat(rows.map((row) => (row.to === null ? Buffer.alloc(20) : bytesOf(row.to)))),
      kinds: Uint8Array.from(
        rows,
        (row) => Number(row.type ?? 0) | (row.to === null ? CONTRACT_CREATION : 0),
      ),
      statuses: Uint8Array.from(rows, (row) => {
        const status = receipts.get(row.hash)?.status
        return status === undefined ? EvmStatus.unknown : Number(status)
      }),
      selectors: Buffer.concat(
        inputs.map((input) => Buffer.concat([input.subarray(0, 4), Buffer.alloc(4)], 4)),
      ),
      values: Buffer.concat(
        rows.map((row) => Buffer.from(BigInt(row.value).toString(16).padStart(64, '0'), 'hex')),
      ),
      nonces: u64((row) => row.nonce ?? '0x0'),
      gasLimits: Uint32Array.from(rows, (row) => saturated(row.gas)),
      gasUsed: Uint32Array.from(rows, (row) => saturated(receipts.get(row.hash)?.gasUsed ?? '0x0')),
      gasPrices: u64((row) => row.maxFeePerGas ?? row.gasPrice ?? '0x0'),
      inputEnds: ends(inputs),
      inputs: Buffer.concat(inputs),
      logEnds: ends(logs),
      logs: Buffer.concat(logs),
    },
  }
}

function ends(parts: Uint8Array[]): Uint32Array {
  let end = 0
  return Uint32Array.from(parts, (part) => {
    end += part.length
    return end
  })
}

function logBytes(log: RpcLog): Buffer {
  const data = bytesOf(log.data)
  const length = Buffer.alloc(4)
  length.writeUInt32LE(data.length)
  return Buffer.concat([
    bytesOf(log.address),
    Buffer.of(log.topics.length),
    ...log.topics.map(bytesOf),
    length,
    data,
  ])
}
