import { hash } from 'node:crypto'
import { columnsOf } from '../../../../harness/replay/columns.ts'
import type { Recording } from '../../../../harness/replay/openRecording.ts'
import type { Block } from '../../../../sidecar/notification/types.ts'

const digest = (text: string) => hash('sha256', text, 'buffer')

/** Blocks that do not follow each other, `rows` transactions each, every third recorded without rising time. */
export function syntheticRecording(count: number, rows: number): Recording {
  const blocks = Array.from({ length: count }, (_, index): Block => {
    const number = 1_000_000n + 37n * BigInt(index)
    return {
      ref: { number, hash: `0x${digest(`block ${index}`).toString('hex')}` },
      parent: { number: number - 1n, hash: `0x${digest(`parent ${index}`).toString('hex')}` },
      timestamp: 1_600_000_000n + BigInt(index % 3) * 1000n,
      gasLimit: 30_000_000n,
      gasUsed: 21_000n * BigInt(rows),
      baseFeePerGas: 7n,
      origin: undefined,
      transactions: columnsOf(
        Array.from({ length: rows }, (_, row) => ({
          hash: digest(`transaction ${index} ${row}`),
          sender: digest(`sender ${row % 7}`).subarray(0, 20),
          to: digest(`to ${row % 5}`).subarray(0, 20),
          kind: 2,
          status: row % 9 === 0 ? 0 : 1,
          value: BigInt(row),
          nonce: BigInt(index),
          gasLimit: 100_000n,
          gasUsed: 21_000n,
          gasPrice: 1_000_000_000n,
          input: digest(`input ${row}`).subarray(0, row % 33),
        })),
      ),
    }
  })
  return {
    files: ['synthetic.jsonl'],
    blocks: async function* (from) {
      yield* blocks.slice(from)
    },
  }
}
