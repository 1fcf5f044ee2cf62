import fc from 'fast-check'
import { buildBlock, type TransactionFields } from '../../../harness/feed/index.ts'
import type { Block } from '../../../sidecar/notification/types.ts'

const hex = (bytes: number) =>
  fc
    .uint8Array({ minLength: bytes, maxLength: bytes })
    .map((value): `0x${string}` => `0x${Buffer.from(value).toString('hex')}`)
const anyHex = fc
  .uint8Array({ maxLength: 80 })
  .map((value): `0x${string}` => `0x${Buffer.from(value).toString('hex')}`)

export const hashes = hex(32)

const transactions: fc.Arbitrary<TransactionFields> = fc.record({
  from: hex(20),
  to: fc.option(hex(20)),
  input: anyHex,
  value: fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }),
  nonce: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  type: fc.integer({ min: 0, max: 0x7f }),
  status: fc.constantFrom('failed', 'succeeded', 'unknown'),
  gasLimit: fc.integer({ min: 0, max: 0xffff_ffff }),
  gasUsed: fc.integer({ min: 0, max: 0xffff_ffff }),
  gasPrice: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  logs: fc.array(fc.record({ address: hex(20), topics: fc.array(hex(32), { maxLength: 4 }), data: anyHex }), {
    maxLength: 3,
  }),
})

/** Blocks with every field at any value it may have. */
export const blocks: fc.Arbitrary<Block> = fc
  .record({
    parent: fc.record({ number: fc.bigInt({ min: 0n, max: 2n ** 64n - 3n }), hash: hashes }),
    transactions: fc.array(transactions, { maxLength: 8 }),
    timestamp: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    gasLimit: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    baseFeePerGas: fc.option(fc.bigInt({ min: 0n, max: 2n ** 80n })),
    origin: fc.option(fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' }), { nil: undefined }),
  })
  .map(({ baseFeePerGas, origin, ...fields }) => ({
    ...buildBlock(fields),
    baseFeePerGas: baseFeePerGas ?? undefined,
    origin,
  }))

/** Buffers and plain arrays alike, as plain arrays: for comparison. */
export function plain(block: Block): unknown {
  const columns = Object.entries(block.transactions).map(([name, column]) => [
    name,
    typeof column === 'number' ? column : Array.from(column),
  ])
  return { ...block, transactions: Object.fromEntries(columns) }
}
