import { createHash } from 'node:crypto'
import { columnsOf, type TransactionRow } from '../../harness/replay/columns.ts'
import type { Block, BlockRef } from '../../sidecar/notification/types.ts'

const sender = new Uint8Array(20).fill(7)

/** One call of the router address with the given calldata payload after `SVM`. */
export function envelopeRow(
  router: string,
  payload: Uint8Array,
  value: bigint,
  salt: string,
): TransactionRow {
  return {
    hash: createHash('sha256').update(salt).digest(),
    sender,
    to: Buffer.from(router.slice(2), 'hex'),
    kind: 2,
    status: 1,
    value,
    nonce: 0n,
    gasLimit: 200_000n,
    gasUsed: 50_000n,
    gasPrice: 1n,
    input: Buffer.concat([Buffer.from('SVM'), payload]),
  }
}

/** A block of such rows on its parent; its hash is of its number and rows. */
export function buildBlock(parent: BlockRef, rows: readonly TransactionRow[]): Block {
  const number = parent.number + 1n
  const hash = createHash('sha256').update(`${parent.hash} ${number}`)
  for (const row of rows) hash.update(row.hash)
  return {
    ref: { number, hash: `0x${hash.digest('hex')}` },
    parent,
    timestamp: 1_700_000_000n + 12n * number,
    gasLimit: 30_000_000n,
    gasUsed: 15_000_000n,
    baseFeePerGas: 1n,
    origin: undefined,
    transactions: columnsOf(rows),
  }
}
