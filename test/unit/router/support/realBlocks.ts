import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { Block } from '../../../../sidecar/notification/types.ts'
import { createBlock, hashOf, type Transaction } from './blocks.ts'

const folder = join(
  process.env.MONMOUTH_SHARED ?? resolve(import.meta.dirname, '../../../../../shared'),
  'data/ethereum',
)

/** False where the recorded blocks are not on this machine. */
export const haveRealBlocks = existsSync(join(folder, 'blocks.jsonl.gz'))

type RecordedBlock = {
  number: string
  gasLimit: string
  gasUsed: string
  timestamp: string
  transactions: RecordedTransaction[]
}
type RecordedTransaction = {
  hash: string
  to: string | null
  input: string
  value: string
  gas: string
  type?: string
}
type RecordedReceipts = {
  number: string
  derivedStatus?: Record<string, string>
  receipts: { transactionHash: string; status?: string }[]
}

/** The recorded mainnet blocks that have transactions, re-chained from block 1; `unknown` where there is no receipt. */
export function readRealBlocks(): Block[] {
  const statuses = new Map<string, number>()
  for (const { receipts, derivedStatus } of lines<RecordedReceipts>('receipts.jsonl.gz')) {
    for (const { transactionHash, status } of receipts) {
      const known = status ?? derivedStatus?.[transactionHash]
      if (known !== undefined) statuses.set(transactionHash, Number(known))
    }
  }
  const recorded = lines<RecordedBlock>('blocks.jsonl.gz').filter((block) => block.transactions.length > 0)
  return recorded.map((block, i) => {
    const transactions = block.transactions.map(
      (transaction): Transaction => ({
        to: transaction.to?.slice(2).toLowerCase() ?? 0,
        creates: transaction.to === null,
        input: transaction.input.slice(2),
        value: BigInt(transaction.value),
        gasLimit: Math.min(0xffffffff, Number(transaction.gas)),
        status: (statuses.get(transaction.hash) ?? 2) as 0 | 1 | 2,
        type: Number(transaction.type ?? 0),
        hash: transaction.hash.slice(2),
      }),
    )
    const created = createBlock({ number: i + 1, transactions, gasUsed: BigInt(block.gasUsed) })
    return { ...created, gasLimit: BigInt(block.gasLimit) }
  })
}

/** The same transactions at another height, on the chain of fork 0. */
export function rechained(block: Block, number: number): Block {
  return {
    ...block,
    ref: { number: BigInt(number), hash: hashOf(number) },
    parent: { number: BigInt(number - 1), hash: hashOf(number - 1) },
  }
}

function lines<T>(file: string): T[] {
  const text = gunzipSync(readFileSync(join(folder, file))).toString()
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as T)
}
