import type { Hash } from 'viem'
import type { Block, BlockRef } from '../../notification/types.ts'
import { ChainMovedError, MalformedAnswerError, NodeRefusedError } from './errors.ts'
import { HexFault, readBigint, readHash } from './hex.ts'
import { readInOrder } from './readInOrder.ts'
import { blockFromJson } from './toBlock.ts'

export type Header = BlockRef & { readonly parentHash: Hash }
export type BlockTag = 'latest' | 'safe' | 'finalized'
export type ChainIdentity = { readonly chainId: bigint; readonly genesisHash: Hash }

/** How a node gives receipts: all of a block in one call, one by one, or not at all. */
export type ReceiptsMode = 'block' | 'transaction' | 'none'

/** What is asked of a node, in the words of the chain. Answers are checked; nothing is kept. */
export type NodeReader = {
  /** Throws `MalformedAnswerError` when the node has no block 0. */
  identity(): Promise<ChainIdentity>
  /** undefined where the node has none, or refuses the tag. */
  header(at: bigint | Hash | BlockTag): Promise<Header | undefined>
  receiptsMode(): Promise<ReceiptsMode>
  /**
   * A canonical block with its receipts, which are of this very block. undefined when the node lacks either. Throws
   * `ChainMovedError` when a reorg came in between: read again.
   */
  block(number: bigint, receipts: ReceiptsMode): Promise<Block | undefined>
  /** Whether the node is behind its network; false where it cannot say. */
  syncing(): Promise<boolean>
}

const ZERO_HASH: Hash = `0x${'0'.repeat(64)}`
/** Receipts asked for one by one: as many at once. */
const RECEIPTS_AT_ONCE = 16

export function createNodeReader(
  request: (method: string, params: readonly unknown[]) => Promise<unknown>,
): NodeReader {
  const header: NodeReader['header'] = async (at) => {
    const byHash = typeof at === 'string' && at.startsWith('0x')
    const json = await request(byHash ? 'eth_getBlockByHash' : 'eth_getBlockByNumber', [
      typeof at === 'bigint' ? quantity(at) : at,
      false,
    ]).catch((error: unknown) => {
      // Before the first finalized block some nodes answer an error where others answer null.
      if (error instanceof NodeRefusedError && (at === 'safe' || at === 'finalized')) return null
      throw error
    })
    if (json === null || json === undefined) return undefined
    const parsed = checked(`block ${at}`, () => headerFromJson(json))
    if (typeof at === 'bigint' && parsed.number !== at) throw wrongBlock('number', at, parsed)
    if (byHash && parsed.hash !== at) throw wrongBlock('hash', at, parsed)
    return parsed
  }

  const receiptsOf = async (
    block: Json,
    number: bigint,
    mode: ReceiptsMode,
  ): Promise<readonly unknown[] | undefined> => {
    if (mode === 'none') return undefined
    const transactions = block.transactions
    // An empty block has no receipts to ask for one by one; a block that is no block is refused by the converter.
    if (!Array.isArray(transactions)) return []
    const receipts: unknown[] = []
    const hashes = transactions.map((transaction: unknown) => (transaction as Json | null)?.hash)
    const read = (index: bigint) => request('eth_getTransactionReceipt', [hashes[Number(index)]])
    for await (const receipt of readInOrder(0n, BigInt(hashes.length) - 1n, RECEIPTS_AT_ONCE, read)) {
      if (receipt === null || receipt === undefined)
        throw new ChainMovedError({
          where: `receipt ${receipts.length} of block ${number}`,
          expected: 'a receipt',
          actual: 'none',
        })
      receipts.push(receipt)
    }
    return receipts
  }

  return {
    header,

    identity: async () => {
      const [chainId, genesis] = await Promise.all([request('eth_chainId', []), header(0n)])
      if (genesis === undefined)
        throw new MalformedAnswerError({
          field: 'block 0',
          where: 'eth_getBlockByNumber',
          expected: 'the genesis block',
          actual: null,
        })
      return {
        chainId: checked('eth_chainId', () => readBigint(chainId, 'result')),
        genesisHash: genesis.hash,
      }
    },

    receiptsMode: async () => {
      try {
        await request('eth_getBlockReceipts', ['latest'])
        return 'block'
      } catch (error) {
        if (!(error instanceof NodeRefusedError && error.isMethodMissing)) throw error
      }
      try {
        await request('eth_getTransactionReceipt', [ZERO_HASH])
        return 'transaction'
      } catch (error) {
        if (!(error instanceof NodeRefusedError && error.isMethodMissing)) throw error
        return 'none'
      }
    },

    block: async (number, mode) => {
      // Both calls at once, by number; the converter refuses receipts of another block.
      const [json, ofBlock] = await Promise.all([
        request('eth_getBlockByNumber', [quantity(number), true]).catch(absentIfPruned),
        mode === 'block'
          ? request('eth_getBlockReceipts', [quantity(number)]).catch(absentIfPruned)
          : undefined,
      ])
      if (json === null || json === undefined || ofBlock === null) return undefined
      const receipts =
        mode === 'block'
          ? checked(`block ${number}`, () => listOf(ofBlock, 'receipts'))
          : await receiptsOf(json as Json, number, mode)
      const block = blockFromJson(json, receipts)
      if (block.ref.number !== number) throw wrongBlock('number', number, block.ref)
      return block
    },

    syncing: async () => {
      try {
        // false, or an object that says how far it is.
        return (await request('eth_syncing', [])) !== false
      } catch (error) {
        if (error instanceof NodeRefusedError) return false
        throw error
      }
    },
  }
}

type Json = Readonly<Record<string, unknown>>

/** Nodes without old history answer null or, as EIP-4444 has it, error 4444. */
function absentIfPruned(error: unknown): null {
  if (error instanceof NodeRefusedError && (error.rpcCode === 4444 || /pruned/i.test(error.message)))
    return null
  throw error
}

function headerFromJson(json: unknown): Header {
  if (typeof json !== 'object') throw new HexFault('result', 'an object', json)
  const { number, hash, parentHash } = json as Json
  return {
    number: readBigint(number, 'number'),
    hash: readHash(hash, 'hash'),
    parentHash: readHash(parentHash, 'parentHash'),
  }
}

function listOf(value: unknown, field: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new HexFault(field, 'an array', value)
  return value
}

function checked<T>(where: string, parse: () => T): T {
  try {
    return parse()
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

function wrongBlock(field: string, wanted: bigint | string, got: BlockRef): MalformedAnswerError {
  return new MalformedAnswerError({
    field,
    where: `block ${wanted}`,
    expected: String(wanted),
    actual: `${got.number} ${got.hash}`,
  })
}

function quantity(number: bigint): string {
  return `0x${number.toString(16)}`
}
