/**
 * A block rebuilt from its call traces, as `mev-inspect-py` leaves them: every transaction says by itself how it ended, and
 * the block has no parent, no gas limit and often no time.
 */
type TracedBlock = {
  readonly hash: string
  readonly receiptCount: number
  readonly timestamp?: string | null
  readonly transactions: readonly {
    readonly hash: string
    readonly status: string
    readonly gasUsed?: string | null
    readonly gasPrice?: string | null
  }[]
}

/** More than any block may use. */
const MOST_GAS = 1_000_000_000n
const zeroHash = `0x${'0'.repeat(64)}`

/**
 * The two JSON-RPC answers that a traced block stands for, or undefined for a block that is none. What traces do not know
 * is written as nothing: nonce 0, gas price 0 where none is given, and a block's gas limit and gas used 0, so that it counts
 * as empty. Gas used of a transaction is 0 in blocks without receipts, and where it is no amount of gas at all (2^64 - 1 in
 * failures of some blocks). Calls, depth and other traces of execution are left behind: nobody knows them before.
 */
export function openTracedBlock(
  json: unknown,
): { readonly block: unknown; readonly receipts: readonly unknown[] } | undefined {
  if (!isTraced(json)) return undefined
  const { hash, transactions } = json
  return {
    block: {
      ...json,
      parentHash: zeroHash,
      timestamp: json.timestamp ?? '0x0',
      gasLimit: '0x0',
      gasUsed: '0x0',
      transactions: transactions.map((transaction) => ({
        ...transaction,
        gasPrice: transaction.gasPrice ?? '0x0',
        nonce: '0x0',
        type: '0x0',
      })),
    },
    receipts: transactions.map((transaction) => ({
      blockHash: hash,
      transactionHash: transaction.hash,
      status: transaction.status,
      gasUsed: gasUsedOf(transaction),
      logs: [],
    })),
  }
}

function gasUsedOf({ gasUsed }: TracedBlock['transactions'][number]): string {
  return gasUsed === undefined || gasUsed === null || BigInt(gasUsed) > MOST_GAS ? '0x0' : gasUsed
}

function isTraced(json: unknown): json is TracedBlock {
  return typeof json === 'object' && json !== null && 'receiptCount' in json && 'sourcePath' in json
}
