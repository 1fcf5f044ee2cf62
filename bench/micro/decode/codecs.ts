// Which encoding of a block is cheapest: rows by protobufjs, columns by protobufjs, columns as the product does it.
//   node bench/micro/decode/codecs.ts [--blocks N]
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import protobuf from 'protobufjs'
import { decodeBlock, encodeBlock } from '../../../sidecar/exex/blockCodec.ts'
import type { Block } from '../../../sidecar/notification/types.ts'
import { recordedBlocks } from './recordedBlocks.ts'

const TRANSACTIONS = 200
const { values } = parseArgs({ options: { blocks: { type: 'string', default: '100' } } })

const rowsType = protobuf.loadSync(join(import.meta.dirname, 'rows.proto')).lookupType('rows.Block')
const columnsType = protobuf
  .loadSync(join(import.meta.dirname, '../../../sidecar/exex/exex.proto'))
  .lookupType('exex.v1.Block')

for (const logs of [false, true]) {
  const blocks = recordedBlocks(Number(values.blocks), TRANSACTIONS, { logs })
  if (blocks === undefined) throw new Error('the recorded blocks are not here: set MONMOUTH_SHARED')
  const columns = blocks.map((block) => encodeBlock(block).bytes)
  const rows = blocks.map((block) => rowsType.encode(toRows(block)).finish())
  const kilobytes = (list: Uint8Array[]) =>
    Math.round(list.reduce((sum, one) => sum + one.length, 0) / list.length / 1000)
  console.log(
    `\n${blocks.length} mainnet blocks of ${TRANSACTIONS} transactions, ${logs ? 'with' : 'without'} logs: ` +
      `${kilobytes(rows)} kB as rows, ${kilobytes(columns)} kB as columns`,
  )
  measure('decode rows, protobufjs', rows, (bytes) => rowsType.decode(bytes))
  measure('decode columns, protobufjs, unchecked', columns, (bytes) => columnsType.decode(bytes))
  measure('decode columns, protobufjs, checked', columns, decodeBlock)
  measure('encode rows, protobufjs', blocks.map(toRows), (block) => rowsType.encode(block).finish())
  measure(
    'encode columns, protobufjs',
    columns.map((bytes) => columnsType.decode(bytes)),
    (block) => columnsType.encode(block).finish(),
  )
  measure('encode columns, by hand, with checksum', blocks, encodeBlock)
}

/** Best of five rounds of at least 300 ms: other work on the machine only ever slows a round down. */
function measure<T>(name: string, inputs: readonly T[], work: (input: T) => unknown): void {
  let best = 0
  for (let round = 0; round < 5; round++) {
    let done = 0
    const start = performance.now()
    let elapsed = 0
    while (elapsed < 300) {
      for (const input of inputs) work(input)
      done += inputs.length
      elapsed = performance.now() - start
    }
    best = Math.max(best, (done * 1000) / elapsed)
  }
  const perSecond = Math.round(best)
  console.log(
    `${name.padEnd(40)} ${String(perSecond).padStart(8)} blocks/s ${String(perSecond * TRANSACTIONS).padStart(11)} tx/s`,
  )
}

function toRows(block: Block) {
  const t = block.transactions
  const u64 = (bytes: Uint8Array, row: number) => Number(Buffer.from(bytes).readBigUInt64LE(row * 8))
  return {
    number: Number(block.ref.number),
    hash: t.hashes.subarray(0, 32),
    parentHash: t.hashes.subarray(0, 32),
    timestamp: Number(block.timestamp),
    gasLimit: Number(block.gasLimit),
    gasUsed: Number(block.gasUsed),
    transactions: Array.from({ length: t.count }, (_, i) => ({
      hash: t.hashes.subarray(i * 32, i * 32 + 32),
      sender: t.senders.subarray(i * 20, i * 20 + 20),
      to: t.to.subarray(i * 20, i * 20 + 20),
      kind: t.kinds[i]!,
      status: t.statuses[i]!,
      value: trimmed(t.values.subarray(i * 32, i * 32 + 32)),
      nonce: u64(t.nonces, i),
      gasLimit: t.gasLimits[i]!,
      gasUsed: t.gasUsed[i]!,
      gasPrice: u64(t.gasPrices, i),
      input: t.inputs.subarray(i === 0 ? 0 : t.inputEnds[i - 1]!, t.inputEnds[i]!),
      logs: logsOf(t.logs.subarray(i === 0 ? 0 : t.logEnds[i - 1]!, t.logEnds[i]!)),
    })),
  }
}

function trimmed(value: Uint8Array): Uint8Array {
  const first = value.findIndex((byte) => byte !== 0)
  return first === -1 ? value.subarray(0, 0) : value.subarray(first)
}

function logsOf(bytes: Uint8Array): { address: Uint8Array; topics: Uint8Array[]; data: Uint8Array }[] {
  const logs = []
  const buffer = Buffer.from(bytes)
  for (let at = 0; at < buffer.length; ) {
    const topicCount = buffer[at + 20]!
    const dataAt = at + 21 + topicCount * 32
    const length = buffer.readUInt32LE(dataAt)
    logs.push({
      address: buffer.subarray(at, at + 20),
      topics: Array.from({ length: topicCount }, (_, i) =>
        buffer.subarray(at + 21 + i * 32, at + 53 + i * 32),
      ),
      data: buffer.subarray(dataAt + 4, dataAt + 4 + length),
    })
    at = dataAt + 4 + length
  }
  return logs
}
