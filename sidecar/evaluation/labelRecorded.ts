import { type Block, EvmStatus } from '../notification/types.ts'
import type { LabelledBlock } from './types.ts'

const noEnvelopes = new Map<number, never>()

/** Recorded blocks with the status of their receipts as labels; transactions without a receipt have none. */
export async function* labelRecorded(blocks: AsyncIterable<Block>): AsyncGenerator<LabelledBlock> {
  for await (const block of blocks) {
    const { count, statuses, gasUsed, gasLimits } = block.transactions
    const labels = Array.from({ length: count }, (_, row) => row)
      .filter((row) => statuses[row] !== EvmStatus.unknown)
      .map((row) => ({
        row,
        succeeded: statuses[row] === EvmStatus.succeeded,
        // Every transaction uses gas; where nobody knows how much, the most it may have.
        units: gasUsed[row]! || gasLimits[row]!,
        truth: undefined,
        group: undefined,
      }))
    yield { block, envelopes: noEnvelopes, outcomes: [], labels }
  }
}
