import { Metadata, type ServerWritableStream } from '@grpc/grpc-js'
import type { Block, BlockRef } from '../../notification/types.ts'
import { CONTRACT_CREATION, EvmStatus } from '../../notification/types.ts'
import { decodeBlock } from '../blockCodec.ts'
import { bufferOf, bytesFromHash } from '../hex.ts'
import { remoteTypes } from '../remoteMessages.ts'
import { DEGRADED_HEADER, remoteSchema } from '../remoteService.ts'
import { uint64Of } from '../schema.ts'
import type { Authenticate } from './authenticate.ts'
import type { ChainSource, EncodedBlock, SourceEvent } from './types.ts'
import { statusOf } from './unaryHandlers.ts'

const NotificationMessage = remoteSchema.lookupType('exex.ExExNotification')

/** What blocks here do not hold, and the official messages would. */
const MISSING = 'bundle,header-roots,signatures,chain-id,access-lists,undone-bodies'
/** A client this far behind is cut off, as the official server does; here with a status that says so. */
const MAX_BUFFERED_BYTES = 64 << 20

/**
 * Serves the official `exex.RemoteExEx/Subscribe` from a source: live notifications from now on, with the bundle and
 * other parts empty, which the response metadata names.
 */
export function remoteHandler(source: ChainSource, authenticate: Authenticate) {
  return (call: ServerWritableStream<Buffer, Buffer>): void => {
    try {
      authenticate(call.metadata)
    } catch (error) {
      call.emit('error', statusOf(error))
      return
    }
    const metadata = new Metadata()
    metadata.set(DEGRADED_HEADER, MISSING)
    call.sendMetadata(metadata)
    let buffered = 0
    const unsubscribe = source.subscribe((event) => {
      if (event.blocks.length === 0 && event.undo.length === 0) return
      const message = encode(event)
      if (buffered + message.length > MAX_BUFFERED_BYTES && buffered > 0) {
        unsubscribe()
        call.emit('error', {
          code: 8,
          details: `too slow: ${buffered} bytes wait to be sent, ${MAX_BUFFERED_BYTES} may`,
        })
        return
      }
      buffered += message.length
      call.write(message, () => {
        buffered -= message.length
      })
    })
    call.on('cancelled', unsubscribe)
    call.on('error', unsubscribe)
  }
}

function encode(event: SourceEvent): Buffer {
  const old = {
    blocks: event.undo.map((ref, i) => undoneBlock(ref, i === 0 ? event.parent : event.undo[i - 1]!)),
  }
  const added = chainOf(event.blocks)
  const message =
    event.undo.length === 0
      ? { chainCommitted: { new: added } }
      : event.blocks.length === 0
        ? { chainReverted: { old } }
        : { chainReorged: { old, new: added } }
  return NotificationMessage.encode(message).finish() as Buffer
}

function chainOf(encoded: readonly EncodedBlock[]) {
  const blocks = encoded.map((block) => decodeBlock(block.bytes))
  const known = blocks.every((block) => !block.transactions.statuses.includes(EvmStatus.unknown))
  return {
    blocks: blocks.map(blockOf),
    executionOutcome: {
      bundle: {},
      // Receipts are all there or not at all: an unknown status must not read as a failure.
      receipts: known ? blocks.map((block) => ({ receipts: receiptsOf(block) })) : [],
      firstBlock: uint64Of(blocks[0]?.ref.number ?? 0n),
    },
  }
}

/** Undone bodies are not kept: number, hash and parent say which block it was. */
const undoneBlock = (ref: BlockRef, parent: BlockRef) => ({
  header: {
    hash: bytesFromHash(ref.hash, 'undo.hash'),
    header: { number: uint64Of(ref.number), parentHash: bytesFromHash(parent.hash, 'undo.parent_hash') },
  },
  body: [],
  senders: [],
})

function blockOf(block: Block) {
  const { count, hashes, senders } = block.transactions
  const rows = Array.from({ length: count }, (_, i) => i)
  return {
    header: {
      hash: bytesFromHash(block.ref.hash, 'block.hash'),
      header: {
        parentHash: bytesFromHash(block.parent.hash, 'block.parent_hash'),
        number: uint64Of(block.ref.number),
        gasLimit: uint64Of(block.gasLimit),
        gasUsed: uint64Of(block.gasUsed),
        timestamp: uint64Of(block.timestamp),
        ...(block.baseFeePerGas === undefined ? {} : { baseFeePerGas: uint64Of(block.baseFeePerGas) }),
      },
    },
    body: rows.map((i) => ({ hash: hashes.subarray(i * 32, i * 32 + 32), ...transactionOf(block, i) })),
    senders: rows.map((i) => senders.subarray(i * 20, i * 20 + 20)),
  }
}

function transactionOf({ transactions }: Block, i: number) {
  const type = transactions.kinds[i]! & ~CONTRACT_CREATION
  const address = transactions.to.subarray(i * 20, i * 20 + 20)
  const isCreation = (transactions.kinds[i]! & CONTRACT_CREATION) !== 0
  // Types beyond the official ones travel as the newest that has their fields.
  const name = remoteTypes[type] ?? 'eip1559'
  const to =
    name === 'eip4844' || name === 'eip7702' ? address : isCreation ? { create: {} } : { call: address }
  const price = Buffer.concat([transactions.gasPrices.subarray(i * 8, i * 8 + 8), Buffer.alloc(8)])
  const gasLimit = Buffer.alloc(8)
  gasLimit.writeUInt32LE(transactions.gasLimits[i]!)
  return {
    [name]: {
      nonce: uint64Of(bufferOf(transactions.nonces).readBigUInt64LE(i * 8)),
      ...(type < 2 ? { gasPrice: price } : { maxFeePerGas: price }),
      gasLimit,
      to,
      value: Buffer.from(transactions.values.subarray(i * 32, i * 32 + 32)).reverse(),
      input: transactions.inputs.subarray(
        i === 0 ? 0 : transactions.inputEnds[i - 1]!,
        transactions.inputEnds[i]!,
      ),
    },
  }
}

function receiptsOf({ transactions }: Block) {
  let cumulative = 0n
  return Array.from({ length: transactions.count }, (_, i) => {
    cumulative += BigInt(transactions.gasUsed[i]!)
    const logs = transactions.logs.subarray(
      i === 0 ? 0 : transactions.logEnds[i - 1]!,
      transactions.logEnds[i]!,
    )
    const success = transactions.statuses[i] === EvmStatus.succeeded
    const txType = transactions.kinds[i]! & ~CONTRACT_CREATION
    return {
      nonEmpty: { txType, success, cumulativeGasUsed: uint64Of(cumulative), logs: logsOf(bufferOf(logs)) },
    }
  })
}

function logsOf(bytes: Buffer) {
  const logs = []
  for (let at = 0; at < bytes.length; ) {
    const topicCount = bytes[at + 20]!
    const dataAt = at + 21 + topicCount * 32
    const end = dataAt + 4 + bytes.readUInt32LE(dataAt)
    const topics = Array.from({ length: topicCount }, (_, i) =>
      bytes.subarray(at + 21 + i * 32, at + 53 + i * 32),
    )
    logs.push({
      address: bytes.subarray(at, at + 20),
      data: { topics, data: bytes.subarray(dataAt + 4, end) },
    })
    at = end
  }
  return logs
}
