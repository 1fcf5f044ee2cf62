import { hash } from 'node:crypto'
import { blockFromJson } from '../../../../sidecar/exex/jsonrpc/toBlock.ts'
import type { Block } from '../../../../sidecar/notification/types.ts'

/** A transaction of a recorded block: which contract and method, and how it ended; undefined: nobody knows. */
export type Call = {
  readonly contract: number
  readonly method?: number
  readonly succeeded: boolean | undefined
  readonly gasUsed?: number
}

const digest = (text: string): string => `0x${hash('sha256', text, 'hex')}`
const hashOf = (number: number): string => digest(`block ${number}`)

/** Block `number` of a chain whose hashes say nothing of content: what happens in a block changes that block alone. */
export function blockJson(number: number, calls: readonly Call[]) {
  const transactions = calls.map(({ contract, method = 1 }, row) => ({
    hash: digest(`transaction ${number} ${row}`),
    from: `0x${'aa'.repeat(20)}`,
    to: `0x${contract.toString(16).padStart(40, '0')}`,
    input: `0x${method.toString(16).padStart(8, '0')}`,
    value: '0x0',
    nonce: '0x1',
    gas: '0x30d40',
    gasPrice: '0x1',
  }))
  const receipts = calls.map(({ succeeded, gasUsed = 50_000 }, row) => ({
    blockHash: hashOf(number),
    transactionHash: transactions[row]!.hash,
    // As before Byzantium, where there is none.
    ...(succeeded === undefined ? {} : { status: succeeded ? '0x1' : '0x0' }),
    gasUsed: `0x${gasUsed.toString(16)}`,
    logs: [],
  }))
  const block = {
    number: `0x${number.toString(16)}`,
    hash: hashOf(number),
    parentHash: hashOf(number - 1),
    timestamp: `0x${(12 * number).toString(16)}`,
    gasLimit: '0x1c9c380',
    gasUsed: '0xe4e1c0',
    transactions,
  }
  return { block, receipts }
}

/** Blocks from number 1 on. */
export function recordedChain(blocks: readonly (readonly Call[])[]): Block[] {
  return blocks.map((calls, index) => {
    const { block, receipts } = blockJson(index + 1, calls)
    return blockFromJson(block, receipts)
  })
}

export async function* stream<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items
}
